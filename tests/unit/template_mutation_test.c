/* SPDX-License-Identifier: Apache-2.0 */
/* The fuzz harness over mutated templates, with a fixed seed: what a sanitizer build must
 * survive. */
#include "../fuzz/template_fuzz.c"

#include "check.h"

static const char *const corpus[] = {
    "{% for x in l if x %}{{ loop.index }}{{ x }}{% if not loop.last %}, {% endif %}{% else %}e{% "
    "endfor %}",
    "{{ d.items()|list }}{% for k, v in d|dictsort %}{{ k }}={{ v }}{% endfor %}{{ d['k'] }}{{ "
    "l[-1:0:-1] }}",
    "{% set ns = namespace(a=1) %}{% set ns.a = ns.a + n ** 2 // 3 % 5 %}{{ ns.a }}{{ ns }}",
    "{{ s|upper }}{{ s|title }}{{ s|truncate(5, leeway=0) }}{{ s|indent(2) }}{{ s|wordcount }}{{ "
    "s|tojson }}",
    "{{ '%05.2f|%s|%-5d' % (1.5, s, n) }}{{ '{:>8}|{0!r}'.format(s) }}{{ s.split()|join('-') }}{{ "
    "s|e + '<' }}",
    "{%- raw -%} {{ }} {%- endraw +%}{# c #}{% with a = 1, b = s %}{{ a ~ b }}{% endwith %}{% "
    "filter trim %} x {% endfilter %}",
    "{% if n is odd and s is not none or not l %}{{ n if n > 3 else -n }}{% elif n in [1, 2] %}{% "
    "else %}{% endif %}",
    "{{ l|map('string')|select('ne', 'b')|batch(2, 0)|list }}{{ l|groupby(0) if false }}{{ "
    "range(1, 9, 2)|sum }}",
    "{{ s.strip('x').replace('a', s, 3).center(9, '*')[::-2] }}{{ s.rsplit(none, 1) }}{{ "
    "s.splitlines() }}{{ s.find('b') }}",
    "{% set x %}{{ s }}{% endset %}{{ x|replace('', '-')|urlencode }}{{ n|round(-1) }}{{ "
    "'0x1f'|int(0, 16) }}{{ s|float(1.0) }}",
    "n > 3 and s|length < 5 or d.k == 1",
    "{'a': [n, (1, 2)], \"\\u00e9\\x41\": s ~ 1.5e-3}[s]"};

static void mutated_sources_are_safe(void)
{
    uint64_t random = 20240607;
    size_t count = sizeof(corpus) / sizeof(corpus[0]);
    for (int run = 0; run < 20000; run++) {
        uint8_t bytes[600];
        const char *from = corpus[xy_random_below(&random, count)];
        const char *other = corpus[xy_random_below(&random, count)];
        size_t length = strlen(from), tail = strlen(other),
               cut = xy_random_below(&random, length + 1);
        size_t skip = xy_random_below(&random, tail + 1);
        bool splice = xy_random_below(&random, 2);
        bytes[0] = (uint8_t)(xy_random_below(&random, 3) ? 255 : xy_random_below(&random, 256));
        memcpy(bytes + 1, from, length);
        if (splice) {
            memcpy(bytes + 1 + cut, other + skip, tail - skip);
            length = cut + tail - skip;
        }
        for (uint64_t changes = xy_random_below(&random, 4); changes > 0 && length > 0; changes--) {
            size_t at = 1 + xy_random_below(&random, length);
            static const char marks[] = "{}%#|.[]()'\"-+*/~<>=,: \n\\_09aeiLxis\xc3\xff";
            bytes[at] = (uint8_t)(xy_random_below(&random, 2)
                                      ? marks[xy_random_below(&random, sizeof(marks))]
                                      : (char)xy_random_next(&random));
        }
        CU_ASSERT_EQUAL(LLVMFuzzerTestOneInput(bytes, length + 1), 0);
    }
}

static void every_prefix_is_safe(void)
{
    for (size_t i = 0; i < sizeof(corpus) / sizeof(corpus[0]); i++)
        for (size_t length = 0; length <= strlen(corpus[i]); length++) {
            uint8_t bytes[400] = {255};
            memcpy(bytes + 1, corpus[i], length);
            CU_ASSERT_EQUAL(LLVMFuzzerTestOneInput(bytes, length + 1), 0);
        }
}

int main(void)
{
    static const struct check checks[] = {{"mutated sources are safe", mutated_sources_are_safe},
                                          {"every prefix is safe", every_prefix_is_safe},
                                          {NULL, NULL}};
    return check_main("template_mutation", checks);
}
