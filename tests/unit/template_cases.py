# SPDX-License-Identifier: Apache-2.0
"""Cases written by hand: {"template", "context", "fails": both must fail, "refused": the subset leaves it out}."""

CONTEXT = {
    "name": "Ada", "label": "positive", "text": "The film was great, really <great> & fun.",
    "n": 7, "zero": 0, "neg": -3, "pi": 3.14159, "tenth": 0.1, "big": 1e22, "small": 1.5e-7, "half": 2.5,
    "yes": True, "no": False, "nothing": None, "empty": "", "none_list": [None, None],
    "words": ["pear", "Apple", "fig", "apple", "Fig"], "nums": [3, 1, 2, 3, 10], "floats": [0.5, 1.25, -2.0],
    "nested": {"a": {"b": [10, 20, {"c": "deep"}]}, "x": 1}, "d": {"b": 2, "a": 1, "C": 3},
    "people": [{"name": "Zed", "age": 30, "city": {"name": "Oslo"}}, {"name": "amy", "age": 25, "city": {"name": "Rome"}},
               {"name": "Bob", "age": 30, "city": {"name": "oslo"}}],
    "matrix": [[1, 2], [3, 4]], "mixed": [1, "a", None, True, 2.5, [1], {"k": "v"}], "uni": "Ünïcödé ß ǆ ΑΣ İ 😀",
    "quote": "it's \"x\"", "lines": "one\n two\r\nthree\n\nfour", "long": "lorem ipsum dolor sit amet " * 12,
    "demos": [{"text": "good", "label": "pos"}, {"text": "bad", "label": "neg"}], "none_map": {}, "l0": [],
    "ctrl": "a\tb\u0001\u007f\u00a0\u2028z", "html": "<a href='x'>\"&amp;</a>", "items": 5, "numtext": " 42 ", "path": "a b/c?d=é",
}

RENDER = r"""
hello
{{ name }}
{{name}}
Hi {{ name }}!{{ n }}
{{ pi }} {{ tenth }} {{ big }} {{ small }} {{ half }}
{{ yes }} {{ no }} {{ nothing }}
{{ true }} {{ false }} {{ none }} {{ True }} {{ False }} {{ None }}
{{ words }} {{ nums }} {{ d }} {{ nested }} {{ mixed }}
{{ quote }} {{ [quote] }} {{ ["it's"] }} {{ ['"'] }} {{ [ctrl] }} {{ [uni] }} {{ ["\\"] }}
{{ nested.a.b[2].c }} {{ nested['a']['b'][0] }} {{ nested.a.b.1 }} {{ nums[-1] }} {{ nums[1:3] }} {{ nums[::-1] }}
{{ nums[:2] }} {{ nums[2:] }} {{ nums[-2:] }} {{ nums[::2] }} {{ nums[5:1] }} {{ nums[10:] }} {{ nums[-100:100] }} {{ nums[3:0:-2] }}
{{ name[0] }} {{ name[-1] }} {{ name[1:] }} {{ name[::-1] }} {{ uni[0] }} {{ uni[-1] }} {{ uni[2:5] }} {{ uni[::-2] }}
{{ 1 + 2 * 3 - 4 / 2 }} {{ 7 // 2 }} {{ -7 // 2 }} {{ 7 % 3 }} {{ -7 % 3 }} {{ 7 % -3 }} {{ 2 ** 10 }} {{ 2 ** -1 }} {{ 2 ** 0.5 }}
{{ 7.5 // 2 }} {{ -7.5 // 2 }} {{ 7.5 % 2 }} {{ -7.5 % 2 }} {{ 1 / 3 }} {{ 10 / 5 }} {{ 1e300 * 10 }} {{ 0.1 + 0.2 }}
{{ -2 ** 2 }} {{ 2 ** 3 ** 2 }} {{ -n }} {{ +n }} {{ - - n }} {{ not n }} {{ not not n }} {{ -yes }} {{ +yes }}
{{ yes + 1 }} {{ yes * 3 }} {{ yes == 1 }} {{ 1 == 1.0 }} {{ 'a' == 'a' }} {{ [1, 2] == [1, 2] }} {{ (1, 2) == [1, 2] }} {{ {'a': 1} == {'a': 1.0} }}
{{ 1 < 2 < 3 }} {{ 1 < 3 < 2 }} {{ 1 == 1 != 2 }} {{ 'a' < 'b' }} {{ [1, 2] < [1, 3] }} {{ (1,) < (1, 0) }} {{ 3 > 2 >= 2 }}
{{ 'a' in 'abc' }} {{ 'x' not in 'abc' }} {{ 3 in nums }} {{ 4 not in nums }} {{ 'a' in d }} {{ '' in '' }} {{ 1 in (1, 2) }} {{ true in [1] }}
{{ 'a' ~ 1 ~ none ~ 2.0 ~ [1] }} {{ 'a' + 'b' }} {{ [1] + [2] }} {{ (1,) + (2,) }} {{ 'ab' * 3 }} {{ 3 * 'ab' }} {{ [0] * 3 }} {{ 'x' * -1 }} {{ (1,) * 2 }}
{{ 'yes' if yes else 'no' }} {{ 'yes' if no else 'no' }} {{ 'a' if no else 'b' if no else 'c' }} {{ 'a' if yes }}
{{ yes and 'x' }} {{ no or 'y' }} {{ 0 or '' or 'z' }} {{ 1 and 0 }} {{ nothing or 'n' }} {{ yes and no or 'k' }}
{{ () }} {{ (1,) }} {{ (1, 2) }} {{ 1, 2 }} {{ [] }} {{ {} }} {{ {'a': 1, 'b': [1, 2]} }} {{ {1: 2, none: 3, 1.5: 4} }} {{ {'a': 1, 'a': 2} }}
{{ "a" "b" 'c' }} {{ 'a\n\t\\\'\"b' }} {{ "\x41\u00e9\U0001F600\101" }} {{ '\q' }}
{{ 0x1F }} {{ 0b101 }} {{ 0o17 }} {{ 1_000 }} {{ 1e3 }} {{ 1.5E-3 }} {{ 1_0.5 }} {{ 0 }} {{ 00 }} {{ 1E5 }}
{{ 1.0 }} {{ 100000000000000000.0 }} {{ 1e15 }} {{ 1e16 }} {{ 123456789.123456789 }} {{ 0.0001 }} {{ 0.00001 }} {{ 5e-324 }} {{ 1.7976931348623157e308 }} {{ -0.0 }}
{{ 9223372036854775807 }} {{ -9223372036854775807 }}
{% if yes %}A{% else %}B{% endif %}
{% if no %}A{% elif n > 5 %}B{% else %}C{% endif %}
{% if no %}A{% elif no %}B{% elif yes %}D{% endif %}
{% if words %}w{% endif %}{% if l0 %}e{% endif %}{% if none_map %}e{% endif %}{% if zero %}z{% endif %}{% if empty %}z{% endif %}
{% for x in nums %}{{ x }},{% endfor %}
{% for x in l0 %}{{ x }}{% else %}none{% endfor %}
{% for x in nums if x > 2 %}{{ loop.index }}:{{ x }} {% endfor %}
{% for x in nums if x > 20 %}{{ x }}{% else %}none{% endfor %}
{% for k, v in d.items() %}{{ k }}={{ v }};{% endfor %}
{% for k, v in d|items %}{{ k }}={{ v }};{% endfor %}
{% for k in d %}{{ k }}{% endfor %}{% for k in d.keys() %}{{ k }}{% endfor %}{% for v in d.values() %}{{ v }}{% endfor %}
{% for k, v in d|dictsort %}{{ k }}={{ v }};{% endfor %}{{ d|dictsort(true) }}{{ d|dictsort(false, 'value') }}{{ d|dictsort(reverse=true) }}
{% for (a, b) in matrix %}{{ a }}-{{ b }} {% endfor %}
{% for a, (b, c) in [[1, [2, 3]]] %}{{ a }}{{ b }}{{ c }}{% endfor %}
{% for c in 'héy' %}[{{ c }}]{% endfor %}
{% for x in nums %}{{ loop.index }}{{ loop.index0 }}{{ loop.first }}{{ loop.last }}{{ loop.length }}{{ loop.revindex }}{{ loop.revindex0 }}{{ loop.depth }}{{ loop.depth0 }} {% endfor %}
{% for x in words %}{{ loop.cycle('odd', 'even') }} {{ loop.previtem if not loop.first }}{{ 'x' if loop.first else loop.previtem }}{% endfor %}
{% for x in words %}{{ x }}{% if not loop.last %}, {{ loop.nextitem }};{% endif %}{% endfor %}
{% for x in words|map('upper') %}{{ loop.length }}{{ x }}{{ loop.last }}{{ loop.revindex }}{% endfor %}
{% for x in words|map('upper') %}{{ x }}{{ loop.last }}{{ loop.nextitem|default('-') }}{% endfor %}
{% for x in nums if x > 1 %}{{ loop.length }}{{ loop.last }}{{ loop.revindex0 }}{% endfor %}
{% for x in [1, 1, 2, 2, 1] %}{{ loop.changed(x) }} {% endfor %}
{% for x in nums %}{% for y in words %}{{ loop.index }}{% endfor %}{{ loop.index }}{% endfor %}
{% for x in nums %}{% set outer = loop %}{% for y in matrix %}{{ outer.index }}.{{ loop.index }} {% endfor %}{% endfor %}
{% for i in range(3) %}{{ i }}{% endfor %}{{ range(5)|list }}{{ range(1, 10, 3)|list }}{{ range(5, 0, -2)|list }}{{ range(3) }}{{ range(0, 9, 2) }}{{ range(5)[2] }}{{ range(5)[-1] }}{{ 3 in range(5) }}
{% set x = 5 %}{{ x }}{% set x = x + 1 %}{{ x }}
{% set a, b = 1, 2 %}{{ a }}{{ b }}{% set (a, b) = (b, a) %}{{ a }}{{ b }}
{% set x = 1 %}{% for i in nums %}{% set x = i %}{{ x }}{% endfor %}{{ x }}
{% set x = 1 %}{% if yes %}{% set x = 2 %}{% endif %}{{ x }}
{% if no %}{% set name = 'B' %}{% endif %}{{ name }}
{% for i in nums %}{% if i == 3 %}{% set name = 'C' %}{% endif %}{{ name }}{% endfor %}
{% set ns = namespace(total=0) %}{% for i in nums %}{% set ns.total = ns.total + i %}{% endfor %}{{ ns.total }}
{% set ns = namespace() %}{% set ns.a = [] %}{% for i in nums %}{% set ns.a = ns.a + [i * 2] %}{% endfor %}{{ ns.a }}{{ ns }}
{% set ns = namespace({'a': 1}, b=2) %}{{ ns.a }}{{ ns['b'] }}{% set ns.a, x = 3, 4 %}{{ ns.a }}{{ x }}
{% set block %}Hello {{ name }}{% endset %}[{{ block }}]{{ block|length }}
{% set block | upper | trim %} Hello {{ name }} {% endset %}[{{ block }}]
{% filter upper %}abc {{ name }}{% endfilter %}{% filter replace('a', 'b') | title %}banana{% endfilter %}
{% with a = 1, b = name %}{{ a }}{{ b }}{% endwith %}{% with %}x{% endwith %}{% with name = name ~ '!' %}{{ name }}{% endwith %}{{ name }}
{% raw %}{{ not rendered }} {% if %}{% endraw %}
{%- raw -%}  {{ x }}  {%- endraw -%}  tail
a {#- comment -#} b {# another {{ x }} #} c {##} d{#-#}e{# - #}
a  {{- name -}}  b  {%- if yes -%}  c  {%- endif -%}  d
a {{+ n }} {%+ if yes +%} b {%+ endif %}
{{-5}} {{ -5 }} {{- 5 -}} x
{{ '}}' }} {{ '%}' }} {{ {'a': {'b': 1}} }} {{ {'a': {}}['a'] }} {{ "{{" }}
{{ name|upper }} {{ name|lower }} {{ 'hELLO wORLD'|capitalize }} {{ "hello big-world (of {jinja} it's"|title }} {{ 'HELLO'.title() }} {{ "they're bill's"|title }} {{ "they're bill's".title() }}
{{ uni|upper }} {{ uni|lower }} {{ uni|title }} {{ uni|capitalize }} {{ uni.title() }} {{ uni.swapcase() }} {{ 'ΑΣ ΣΑΣ Σ'|lower }} {{ 'ŉ ﬁ ΐ'|upper }}
{{ '  x '|trim }}|{{ 'xxaxx'|trim('x') }}|{{ ' a '.strip() }}|{{ 'xya'.lstrip('xy') }}|{{ 'axy'.rstrip('yx') }}|{{ '\u00a0x\u3000'|trim }}|{{ 5|trim }}
{{ 'aaa'|replace('a', 'b') }} {{ 'aaa'|replace('a', 'b', 2) }} {{ 'abc'|replace('', '-') }} {{ 'abc'|replace('', '-', 2) }} {{ 123|replace(2, 'x') }} {{ 'aXa'.replace('a', '') }} {{ 'aaa'.replace('a', 'b', 1) }}
{{ words|join }} {{ words|join(', ') }} {{ nums|join('-') }} {{ people|join(', ', attribute='name') }} {{ mixed|join('|') }} {{ 'abc'|join('.') }} {{ d|join(',') }} {{ ', '.join(words) }} {{ nums|join(1) }}
{{ words|length }} {{ words|count }} {{ name|length }} {{ uni|length }} {{ d|length }} {{ range(7)|length }} {{ empty|length }} {{ d.items()|length }}
{{ words|first }} {{ words|last }} {{ name|first }} {{ uni|last }} {{ d|first }} {{ d|last }} {{ range(3)|last }} {{ words|map('upper')|first }}
{{ missing|default('x') }} {{ missing|d('y') }} {{ missing|default }} {{ empty|default('e') }} {{ empty|default('e', true) }} {{ nothing|d('z', boolean=true) }} {{ nested.q|default('q') }} {{ nested.q is defined }} {{ nested.a.q|d(1) }} {{ none|d('n') }}
{{ '42'|int }} {{ '4x'|int }} {{ '4x'|int(9) }} {{ 3.9|int }} {{ -3.9|int }} {{ '3.7'|int }} {{ '0x1f'|int(0, 16) }} {{ 'ff'|int(base=16) }} {{ ' 42 '|int }} {{ '1_000'|int }} {{ none|int }} {{ none|int(5) }} {{ true|int }} {{ [1]|int(7) }} {{ 'inf'|int(1) }} {{ '1e3'|int }} {{ '101'|int(0, 2) }} {{ '0b11'|int(0, 0) }}
{{ '4.5'|float }} {{ 'x'|float }} {{ 'x'|float(1) }} {{ 3|float }} {{ '1e5'|float }} {{ ' .5 '|float }} {{ '5.'|float }} {{ 'inf'|float }} {{ '-Infinity'|float }} {{ 'nan'|float }} {{ '1_0.2_5'|float }} {{ none|float(2.0) }} {{ '1e400'|float }} {{ '1e-400'|float }} {{ true|float }}
{{ 42|string }} {{ 4.0|string }} {{ none|string }} {{ [1]|string }} {{ 42|string|length }}
{{ 2.5|round }} {{ 3.5|round }} {{ 2.675|round(2) }} {{ 42|round }} {{ 42.55|round(1) }} {{ 42.55|round(1, 'floor') }} {{ 42.51|round(0, 'ceil') }} {{ 1234.5|round(-2) }} {{ 1250|round(-2) }} {{ 1350|round(-2) }} {{ -2.5|round }} {{ 0.5|round }} {{ 42|round(2) }} {{ 7|round(1, 'floor') }} {{ 2.5|round|int }} {{ 1e22|round(2) }} {{ true|round }} {{ 15|round(-1) }} {{ 25|round(-1) }} {{ -25|round(-1) }} {{ 250.0|round(-2) }} {{ 350.0|round(-2) }}
{{ -5|abs }} {{ neg|abs }} {{ -2.5|abs }} {{ true|abs }} {{ nums|sum }} {{ floats|sum }} {{ people|sum('age') }} {{ people|sum(attribute='age') }} {{ nums|sum(start=100) }} {{ [[1], [2]]|sum(start=[]) }} {{ l0|sum }} {{ [0.1] * 10 }} {{ ([0.1] * 10)|sum }}
{{ nums|min }} {{ nums|max }} {{ words|min }} {{ words|max }} {{ words|min(case_sensitive=true) }} {{ words|max(true) }} {{ people|max(attribute='age') }} {{ people|min(attribute='name') }} {{ d|max }}
{{ nums|sort }} {{ words|sort }} {{ words|sort(case_sensitive=true) }} {{ nums|sort(reverse=true) }} {{ words|sort(true, true) }} {{ people|sort(attribute='age')|map(attribute='name')|list }} {{ people|sort(attribute='age,name')|map(attribute='name')|list }} {{ people|sort(attribute='city.name')|map(attribute='name')|list }} {{ none_list|sort }} {{ people|sort(true, attribute='age')|map(attribute='name')|join }} {{ d|sort }} {{ 'hello'|sort|join }} {{ matrix|sort(attribute=1, reverse=true) }}
{{ nums|unique|list }} {{ words|unique|list }} {{ words|unique(true)|list }} {{ people|unique(attribute='age')|map(attribute='name')|list }} {{ [1, 1.0, true, 'a', none, none]|unique|list }} {{ 'abAB'|unique|join }}
{{ nums|reverse|list }} {{ 'abc'|reverse }} {{ d|reverse|list }} {{ words|map('upper')|reverse }} {{ range(4)|reverse|join }} {{ uni|reverse }}
{{ nums|list }} {{ 'abc'|list }} {{ d|list }} {{ d.items()|list }} {{ d.items() }} {{ d.keys() }} {{ d.values() }} {{ (1, 2)|list }}
{{ d|tojson }} {{ mixed|tojson }} {{ uni|tojson }} {{ html|tojson }} {{ pi|tojson }} {{ nested|tojson(2) }} {{ [] |tojson(indent=2) }} {{ {}|tojson(1) }} {{ ctrl|tojson }} {{ quote|tojson }} {{ (1, 2)|tojson }} {{ {1: 2}|tojson }} {{ 1e22|tojson }} {{ none|tojson }} {{ [[1, [2]], {'a': [{}]}]|tojson(indent=4) }} {{ {'b': 1, 'a': {'d': 1, 'c': 2}}|tojson }} {{ "\x7f/" |tojson }}
{{ lines|indent }}|{{ lines|indent(2, true) }}|{{ lines|indent(2, blank=true) }}|{{ lines|indent('> ') }}|{{ lines|indent(width=3, first=true, blank=true) }}|{{ 'x'|indent }}|{{ ''|indent }}|{{ 'a\n'|indent }}|{{ 'a\n\n'|indent(1) }}
{{ long|truncate }}|{{ long|truncate(20) }}|{{ long|truncate(20, true) }}|{{ long|truncate(20, false, '') }}|{{ 'foo bar baz qux'|truncate(11) }}|{{ 'foo bar baz qux'|truncate(11, leeway=0) }}|{{ 'foo bar baz qux'|truncate(9, end='…', leeway=0) }}|{{ 'abcdefghij'|truncate(5, leeway=0) }}|{{ uni|truncate(7, true, leeway=0) }}
{{ text|wordcount }} {{ "it's a b-c _x 12"|wordcount }} {{ uni|wordcount }} {{ ''|wordcount }} {{ 42|wordcount }}
{{ nums|batch(2)|list }} {{ nums|batch(2, 'x')|list }} {{ nums|batch(3, fill_with=0)|list }} {{ nums|slice(2)|list }} {{ nums|slice(3, 'x')|list }} {{ nums|slice(10)|list }} {{ l0|batch(2)|list }} {{ l0|slice(2)|list }} {{ 'abcde'|batch(2)|list }}
{{ people|map(attribute='name')|join(', ') }} {{ people|map(attribute='city.name')|list }} {{ people|map(attribute='zip', default='?')|list }} {{ words|map('upper')|list }} {{ words|map('replace', 'p', 'q')|list }} {{ matrix|map('sum')|list }} {{ matrix|map('first')|list }} {{ matrix|map(attribute=1)|list }} {{ matrix|map(attribute='0')|list }} {{ nums|map('string')|map('length')|list }} {{ words|map('truncate', 3, true, '', 0)|list }} {{ words|map('default', 'x')|list }} {{ l0|map('upper')|list }}
{{ nums|select('odd')|list }} {{ nums|select|list }} {{ nums|reject('odd')|list }} {{ nums|select('>', 2)|list }} {{ nums|select('divisibleby', 3)|list }} {{ mixed|select('string')|list }} {{ mixed|reject('none')|list }} {{ mixed|select|list }} {{ nums|select('in', [1, 2])|list }} {{ words|select('equalto', 'fig')|list }} {{ words|reject('lower')|list }} {{ nums|reject|list }}
{{ people|selectattr('age', 'gt', 26)|map(attribute='name')|list }} {{ people|rejectattr('age', 'equalto', 30)|map(attribute='name')|list }} {{ people|selectattr('zip', 'defined')|list }} {{ people|selectattr('city.name', 'eq', 'Oslo')|map(attribute='name')|join }} {{ people|selectattr('age')|list|length }} {{ people|rejectattr('name', 'in', ['amy'])|map(attribute='name')|list }} {{ people|rejectattr('age')|list }}
{% for key, group in people|groupby('age') %}{{ key }}:{{ group|map(attribute='name')|join(',') }};{% endfor %}{% for g in people|groupby('city.name') %}{{ g.grouper }}:{{ g.list|length }};{% endfor %}{% for k, g in people|groupby('zip', default='none') %}{{ k }}{{ g|length }}{% endfor %}{% for k, g in people|groupby('city.name', case_sensitive=true) %}{{ k }}{{ g|length }}{% endfor %}{{ matrix|groupby(0) }}
{{ html|e }} {{ html|escape }} {{ html|safe }} {{ html|e|e }} {{ html|forceescape }} {{ html|e|forceescape }} {{ 5|e }} {{ [html|e] }} {{ html|e is escaped }} {{ html is escaped }} {{ (html|e) + '<' }} {{ '<' + (html|e) }} {{ (html|e) ~ '<' }} {{ none|e }} {{ html|e|upper }} {{ (html|e)[:4] }} {{ html|e|length }} {{ html|tojson + '<' }} {{ html|e|string }} {{ html|e|replace('&', '<') }}
{{ '%s is %d and %.2f'|format('a', 5, 1.5) }} {{ '%s'|format([1]) }} {{ '%(a)s-%(b)05d'|format(a='x', b=42) }} {{ '%5s|%-5s|%05d|%+d|% d|%x|%X|%o|%#x|%e|%g|%%|%c|%r'|format('a', 'b', 42, 5, 5, 255, 255, 8, 255, 12345.678, 0.0001, 'z', "q'") }} {{ 'plain'|format }} {{ '%.3s'|format('abcdef') }} {{ '%d'|format(3.9) }} {{ '%f'|format(2) }} {{ '%s'|format(none) }} {{ '%*d'|format(5, 3) }} {{ '%i%%'|format(7) }} {{ '%.0f'|format(0.5) }} {{ '%G'|format(1e-10) }} {{ '%5.1f|'|format(3.14159) }} {{ '%.3d'|format(5) }}
{{ '%s and %s' % ('a', 'b') }} {{ '%d%%' % 5 }} {{ '%(x)s' % {'x': 1} }} {{ 'a' % {} }} {{ '%s' % [1, 2] }}
{{ '{} {}'.format('a', 1) }} {{ '{0}{1}{0}'.format('a', 'b') }} {{ '{x}-{y}'.format(x=1, y='q') }} {{ '{:>5}|{:<5}|{:^5}|{:*^7}'.format('a', 'b', 'c', 'd') }} {{ '{:05d}|{:+d}|{:,}|{:.2f}|{:e}|{:%}|{:x}|{:b}|{:_}'.format(42, 5, 1234567, 3.14159, 12345.6789, 0.25, 255, 5, 1234567) }} {{ '{{}}'.format() }} {{ '{!r} {!s}'.format('a', 'b') }} {{ '{:5}|{:5}'.format('a', 1) }} {{ '{:.3}'.format('abcdef') }} {{ '{:g} {:.3g} {}'.format(0.00001, 1234.5, 1.0) }} {{ '{:,.2f}'.format(1234567.891) }} {{ '{:08.3f}'.format(-3.14159) }} {{ '{:.1%}'.format(0.123) }} {{ '{:}'.format(none) }} {{ '{:3}|{:<6}|{:06}'.format(1.5, 2.5, -3.5) }} {{ '{:.3}|{:.1}'.format(1234.5, 0.5) }} {{ '{:#x}'.format(255) }}
{{ 'abc'|center(9) }}|{{ 'abcd'|center(9) }}|{{ 'abc'|center(8) }}|{{ 'x'|center }}|{{ 'é'.center(4, '*') }}|{{ 'ab'.ljust(5) }}|{{ 'ab'.rjust(5, '.') }}|{{ '5'.zfill(3) }}|{{ '-5'.zfill(4) }}
{{ path|urlencode }} {{ {'a b': 'é/&', 'c': 1}|urlencode }} {{ [['x', 1], ['y z', 2]]|urlencode }} {{ 5|urlencode }} {{ '~-._/ '|urlencode }}
{{ 'a,b,c'.split(',') }} {{ ' a  b '.split() }} {{ 'a b c'.split(' ', 1) }} {{ 'a,b,c'.rsplit(',', 1) }} {{ ' a b c '.rsplit(none, 1) }} {{ ''.split() }} {{ ''.split(',') }} {{ 'a,b'.split(',')[0] }} {{ lines.splitlines() }} {{ ' a b  c '.split(none, 1) }} {{ 'a--b--c'.rsplit('--') }} {{ 'a b c'.split(maxsplit=1) }}
{{ name.startswith('A') }} {{ name.endswith('a') }} {{ name.startswith(('x', 'A')) }} {{ name.startswith('d', 1) }} {{ name.endswith('d', 0, 2) }} {{ 'abc'.startswith('') }} {{ name.find('d') }} {{ name.find('z') }} {{ 'banana'.rfind('an') }} {{ 'banana'.count('a') }} {{ 'aaa'.count('aa') }} {{ 'abc'.count('') }} {{ 'banana'.index('n') }} {{ uni.find('😀') }} {{ nums.count(3) }} {{ nums.index(2) }}
{{ 'abc'.upper() }} {{ 'ABC'.lower() }} {{ 'abc def'.title() }} {{ 'abc'.capitalize() }} {{ 'aBc'.swapcase() }} {{ 'xabc'.removeprefix('x') }} {{ 'abcx'.removesuffix('x') }} {{ 'a=b=c'.partition('=') }} {{ 'a=b=c'.rpartition('=') }} {{ 'abc'.partition('-') }} {{ 'abc'.rpartition('-') }}
{{ '12'.isdigit() }} {{ 'a1'.isalnum() }} {{ 'ab'.isalpha() }} {{ ' '.isspace() }} {{ 'AB'.isupper() }} {{ 'ab'.islower() }} {{ '½'.isnumeric() }} {{ ''.isdigit() }} {{ 'A1'.isupper() }} {{ '1'.isupper() }}
{{ d.get('a') }} {{ d.get('z') }} {{ d.get('z', 5) }} {{ d['a'] }} {{ d.b }} {{ 'a' in d.keys() }} {{ 1 in d.values() }} {{ ('a', 1) in d.items() }} {{ dict(a=1, b=2) }} {{ dict(d, z=1) }} {{ dict([('a', 1)]) }} {{ dict() }}
{{ n is odd }} {{ n is even }} {{ n is divisibleby 7 }} {{ n is divisibleby(2) }} {{ name is string }} {{ n is number }} {{ pi is float }} {{ n is integer }} {{ yes is boolean }} {{ yes is integer }} {{ yes is number }} {{ d is mapping }} {{ words is sequence }} {{ words is iterable }} {{ name is iterable }} {{ n is iterable }} {{ d is sequence }} {{ nothing is none }} {{ n is none }} {{ n is not none }} {{ missing is defined }} {{ missing is undefined }} {{ missing is not defined }}
{{ n is eq 7 }} {{ n is equalto 8 }} {{ n is ne(8) }} {{ n is gt 3 }} {{ n is lt 3 }} {{ n is ge 7 }} {{ n is le 7 }} {{ n is greaterthan 3 }} {{ n is lessthan 9 }} {{ 3 is in nums }} {{ 'q' is in 'abc' }} {{ yes is true }} {{ 1 is true }} {{ no is false }} {{ 0 is false }} {{ 'abc' is lower }} {{ 'ABC' is upper }} {{ 'aB' is lower }} {{ none is sameas none }} {{ true is sameas true }} {{ 1 is sameas true }} {{ missing is string }} {{ missing is mapping }} {{ missing is sequence }} {{ range is callable }} {{ n is callable }} {{ 2.0 is odd }} {{ 3.0 is odd }} {{ n is divisibleby 7 and yes }} {{ n is not divisibleby 7 or no }}
{{ cycler('a', 'b').next() }}{% set c = cycler('x', 'y', 'z') %}{{ c.next() }}{{ c.current }}{{ c.next() }}{{ c.next() }}{{ c.next() }}{{ c.reset() }}{{ c.current }}
{% set j = joiner(', ') %}{% for x in nums %}{{ j() }}{{ x }}{% endfor %}{% set j2 = joiner() %}{{ j2() }}a{{ j2() }}b
{% set g = words|map('upper') %}{{ g|list }}{{ g|list }}{% set g2 = nums|select('odd') %}{{ g2|first }}{{ g2|list }}
{% for x in nums|map('string') if x != '3' %}{{ x }}{{ loop.index }}{% endfor %}
{{ (words|map('upper')|list)[0] }} {{ (1, 2)[0] }} {{ [1, 2, 3][1:] }} {{ {'a': 1}.a }} {{ {'a': 1}['a'] }} {{ 'abc'[1] }} {{ ('a' ~ 'b').upper() }} {{ (nums|sort)[0] }} {{ "%s" % name|upper }}
{{ nums|sort|first }}{{ words|map('lower')|unique|sort|join(',') }} {{ words | join ( ' ' ) | upper | replace ( 'A' , 'b' ) }}
{{ 'a' if name == 'Ada' and n > 5 or no else 'b' }} {{ not yes or yes }} {{ not (yes and no) }} {{ 1 if n in [7, 8] else 2 }} {{ name is defined and name is string }} {{ missing is defined and missing.x }} {{ not missing is defined }} {{ n == 7 is true }}
{% if name is not none and name | length > 2 %}ok{% endif %}{% if not nums %}{% else %}nums{% endif %}{% if 'a' in name|lower %}in{% endif %}
{% if label %}Write a {{ label }} review{% if n %} of {{ n }} words{% endif %}.{% endif %}
{{- name }} {{ name -}}
{{ words[0]|upper ~ '-' ~ words[1]|lower }} {{ 1 ~ 2 + 3 if no else 1 ~ 2 }} {{ -1|abs }} {{ -1.5|abs }} {{ (-1)|abs }} {{ 2**-1|abs }}
{{ [1, 2, 3,] }} {{ {'a': 1,} }} {{ (1, 2,) }} {{ words|join(', ',) }} {{ [[], {}, ()] }} {{ [none, true, 1.0, 'x'] }}
{{ 1 if yes }} {{ (1 if no)|default('u') }} {{ ('a' if no) is defined }}
{{ 'A' < 'a' }} {{ [] == () }} {{ none == false }} {{ 1 != '1' }} {{ 0.1 + 0.2 == 0.3 }} {{ 9007199254740993 == 9007199254740992.0 }} {{ 'é' > 'z' }} {{ {} == {} }} {{ [1, [2, {'a': none}]] == [1, [2, {'a': none}]] }} {{ range(3) == range(3) }}
{% set x %}{% endset %}[{{ x }}]{% set y = [] %}{{ y }}{% set z = 'a', %}{{ z }}
{{ items }} {{ n|string ~ 'x' }} {{ words|string }} {{ nothing|string }} {{ numtext|int + 1 }} {{ d.a + d.b }} {{ nested['x'] }} {{ nested.a['b'][2]['c'] }}
{% for a in [1, 2] %}{% for b in [1, 2] if b != a %}{{ a }}{{ b }} {% endfor %}{% endfor %}
{% for x in nums %}{% if loop.index is divisibleby 2 %}{{ x }}{% elif loop.first %}F{% else %}-{% endif %}{% endfor %}
{% for item in people|sort(attribute='name') %}{{ loop.index }}. {{ item.name }} ({{ item.age }}){{ '' if loop.last else ', ' }}{% endfor %}
{% for x in people|selectattr('age', 'equalto', 30) %}{{ x.name }}{{ loop.last }}{% endfor %}
{% for k, v in {'a': 1, 'b': 2}.items() %}{{ k }}{{ v }}{{ loop.length }}{% endfor %}
{% for y in nums %}{{ q|default('u') }}{% set q = y %}{% endfor %}
{{ x|default('before') }}{% set x = 1 %}{{ x }}
{% for i in [1] %}{% set name = 'inner' %}{{ name }}{% endfor %}{{ name }}
{% set name = 'outer' %}{% with %}{% set name = 'inner' %}{{ name }}{% endwith %}{{ name }}
{% for loop_var in nums %}{{ loop_var }}{% else %}no{% endfor %}{{ 'x'.join(['a']) }}
{% if yes: %}colon{% endif %}{% for x in nums: %}{{ x }}{% endfor %}
{{ '' ~ '' }}{{ ''|upper }}{{ [] | join }}{{ ''|e }}{{ [''] }}{{ ['\n'] }}{{ ["\u200b\u00ad\ue000\U000e0001"] }}
{{ [3, 1, 2]|sort|map('string')|join }}{{ [[2, 'b'], [1, 'a']]|sort }}{{ ['b', 'A', 'c']|sort }}
{{ 'x' is in(['x']) }} {{ 1 is eq(1) }} {{ 5 is divisibleby 5 }} {{ 'a' is string and 1 is number }} {{ 4 is even and 3 is odd }}
{{ 10 % 4 ~ 'x' }} {{ 2 * 3 ~ 4 }} {{ 1 - 2 }} {{ 5 - 2 - 1 }} {{ 2 * 3 / 4 * 5 }} {{ 100 // 7 % 3 }} {{ 0 * -1.0 }} {{ 1e308 * 10 }} {{ 3 % 1e400 }} {{ 5.0 % 3 }} {{ -0.0 == 0 }} {{ 0.5 // 0.1 }} {{ 1.0 // 0.1 }}
{{ 1 in {1: 2} }} {{ {1: 'a'}[1] }} {{ {1: 'a'}[1.0] }} {{ {true: 'a'}[1] }} {{ {(1, 2): 'a'}[(1, 2)] }} {{ {'a': {'b': {'c': 1}}}.a.b.c }} {{ {'x-y': 1}['x-y'] }}
"""

FAILS = r"""
{{ missing }}
{{ missing.x }}
{{ missing[0] }}
{{ nested.missing }}
{{ nested.missing.x }}
{{ nums[99] }}
{{ nums['a'] }}
{{ name.foo }}
{{ missing == 1 }}
{{ missing ~ 'x' }}
{{ missing + 1 }}
{{ not missing }}
{{ missing and 1 }}
{{ missing|upper }}
{{ missing|length }}
{{ missing in [1] }}
{{ 1 in missing }}
{{ missing|list }}
{{ missing|join }}
{{ missing is odd }}
{{ missing is iterable }}
{% if missing %}{% endif %}
{% for x in missing %}{% endfor %}
{% for x in n %}{% endfor %}
{% for x in none %}{% endfor %}
{% for a, b in nums %}{% endfor %}
{% for a, b in [[1, 2, 3]] %}{% endfor %}
{% set a, b = 1 %}
{% set a, b = [1] %}
{{ 1 / 0 }}
{{ 1 // 0 }}
{{ 1 % 0 }}
{{ 1.0 % 0 }}
{{ 0 ** -1 }}
{{ 'a' + 1 }}
{{ 1 + 'a' }}
{{ [1] + (1,) }}
{{ 'a' * 'b' }}
{{ 'a' - 'b' }}
{{ none + 1 }}
{{ -'a' }}
{{ +'a' }}
{{ 1 < 'a' }}
{{ none < 1 }}
{{ {} < {} }}
{{ [1] < ['a'] }}
{{ 1 in 5 }}
{{ 1 in 'a' }}
{{ {[]: 1} }}
{{ {{}: 1} }}
{{ [] in {} }}
{{ nums|sort(attribute='x') }}
{{ mixed|sort }}
{{ [1, 'a']|max }}
{{ [1, none]|min }}
{{ l0|first }}
{{ l0|last }}
{{ l0|max }}
{{ 5|length }}
{{ 5|list }}
{{ 5|join }}
{{ 5|first }}
{{ words|map('upper')|length }}
{{ words|map('upper')|last }}
{{ (words|map('upper'))[0] }}
{{ words|sum }}
{{ 'a'|abs }}
{{ 'a'|round }}
{{ 2.5|round(1, 'up') }}
{{ people|groupby('zip') }}
{{ people|map(attribute='zip')|join }}
{{ d|dictsort(by='x') }}
{{ 5|dictsort }}
{{ nums|items|list }}
{{ [missing]|join }}
{{ {missing: 1} }}
{{ missing|tojson }}
{{ range(3)|tojson }}
{{ '%d'|format('a') }}
{{ '%s %s'|format('a') }}
{{ '%s'|format('a', 'b') }}
{{ '%(a)s'|format(b=1) }}
{{ '%z'|format(1) }}
{{ '%'|format(1) }}
{{ '{} {}'.format(1) }}
{{ '{x}'.format(y=1) }}
{{ '{'.format() }}
{{ '{:d}'.format('a') }}
{{ name.nosuch() }}
{{ n.upper() }}
{{ nums.items() }}
{{ nosuch() }}
{{ name() }}
{{ 'abc'.index('z') }}
{{ nums.index(99) }}
{{ 'a'.split('') }}
{{ ', '.join([1]) }}
{{ 'x'|truncate(2) }}
{{ 'x'|indent([]) }}
{{ range(1, 2, 0) }}
{{ range('a') }}
{{ range() }}
{{ nums[::0] }}
{{ nums['a':] }}
{{ n[0:1] }}
{{ d[0:1] }}
{{ cycler() }}
{{ n|nosuch }}
{{ n is nosuch }}
{{ n|upper(1) }}
{{ n|replace('a') }}
{{ n|default(1, 2, 3) }}
{{ n|round(nosuch=1) }}
{{ n is divisibleby }}
{{ words|map('nosuch')|list }}
{{ words|map|list }}
{{ words|select('nosuch')|list }}
{{ words|map(attribute='a', nosuch=1)|list }}
{{ people|selectattr|list }}
{{
{{ n
{{ n }
{% if
{% if yes %}
{% if yes %}{% else %}
{% for x in nums %}
{% for x nums %}{% endfor %}
{% for in nums %}{% endfor %}
{% endfor %}
{% endif %}
{% else %}
{% if yes %}{% endfor %}
{% nosuch %}
{% %}
{% set %}
{% set x = %}
{% set 1 = 2 %}
{% set x.y = 2 %}
{% set name.y = 2 %}
{% set true = 2 %}
{% set x %}abc
{% raw %}abc
{# abc
{{ }}
{{ 1 + }}
{{ 1 2 }}
{{ 'abc }}
{{ (1 }}
{{ [1 }}
{{ {1 }}
{{ {1: } }}
{{ ) }}
{{ (] }}
{{ a. }}
{{ a[ }}
{{ n| }}
{{ n is }}
{{ n is string is string }}
{{ $ }}
{{ a ? b }}
{{ n; }}
{{ 1 = 2 }}
{{ f(a=1, 2) }}
{{ '\x4' }}
{{ '\u12' }}
{{ 'a' 1 }}
{{ not }}
{{ 1 if }}
{{ 007 }}
{{ 1__0 }}
{% for loop in nums %}{% endfor %}
{% for x in nums %}{% set loop = 1 %}{% endfor %}
{% with a %}{% endwith %}
{% filter nosuch %}x{% endfilter %}
{% for i in [1] %}{{ w }}{% endfor %}{% set w = 2 %}
{% if no %}{% set w = 1 %}{% endif %}{{ w }}
{% for i in [1] %}{% set w = 1 %}{% endfor %}{{ w }}
{% for i in nums %}{{ loop.nosuch }}{% endfor %}
{% for i in nums %}{{ loop.previtem }}{% endfor %}
{% for i in nums %}{{ loop.cycle() }}{% endfor %}
{{ loop.index }}
{% set ns = namespace() %}{{ ns.a }}
{% set ns = namespace(1) %}
{{ n is sameas }}
{{ 'a' is divisibleby 2 }}
{{ none is even }}
{{ people|unique(attribute='zip')|list }}
{{ [[1], [1]]|unique|list }}
{{ html|e|nosuch }}
{{ '%s' % missing }}
{{ 9 ** 'a' }}
{{ (1).nosuch }}
{{ nums|batch|list }}
{{ none|length }}
{{ none|list }}
{{ 1|sort }}
{{ d.a.b.c }}
{{ none.x }}
{{ nothing.x.y }}
{{ True.x }}
"""

REFUSED = r"""
{{ 9223372036854775807 + 1 }}
{{ 9223372036854775808 }}
{{ 10 ** 30 }}
{{ '99999999999999999999'|int }}
{{ 1e30|int }}
{{ d.items }}
{{ name.upper }}
{{ words|map('upper') }}
{{ range(5)[1:3] }}
{{ words.append(1) }}
{{ 'a' is sameas 'a' }}
{% macro f(x) %}{{ x }}{% endmacro %}{{ f(1) }}
{% for x in [1] recursive %}{{ x }}{% endfor %}
{% block a %}x{% endblock %}
{{ lipsum(1) }}
{{ words|random }}
{{ [1]|pprint }}
{{ 'a'|wordwrap(3) }}
{{ 5|filesizeformat }}
{{ '<b>'|striptags }}
{{ 'a'.encode() }}
{{ dict(**d) }}
{{ (-8) ** 0.5 }}
{% autoescape false %}x{% endautoescape %}
{% include 'x' ignore missing %}
{{ n.real }}
"""

SEVERAL_LINES = [
    "{% for demo in demos %}Text: {{ demo.text }}\nLabel: {{ demo.label }}\n{% endfor %}Text: {{ text }}\nLabel:",
    "{% for demo in demos -%}\nInput: {{ demo.text }} -> {{ demo['label'] }}{{ '\\n' if not loop.last }}\n{%- endfor %}\n",
    "{{ 'a' if no }}{{ ('a' if no)|length }}{{ ('a' if no) == 1 }}{{ 'x' ~ ('a' if no) }}{% for x in ('a' if no) %}{% else %}e{% endfor %}",
    "{{ [missing] }}{{ {'a': missing} }}{{ [1, nested.q] }}{{ ['a' if no] }}",
    "\n\n  {%- if yes %}\n x\n  {%- endif %}\n{{ n }}\n",
    "{%- set a = 1 -%}\n\n{{- a -}}\n\n{#- c -#}\n\ntail\n\n",
    "{{ [1,\n 2,\n 3] }}{%\n if\n yes\n %}y{%\nendif\n%}",
]


def cases():
    for line in RENDER.strip("\n").split("\n"):
        yield {"template": line, "context": CONTEXT}
        # Each tag of a line once more alone, where the line is a list of outputs: a failure then
        # names its own expression.
        parts = line.split("}} {{")
        if len(parts) > 1 and "{%" not in line:
            for index, part in enumerate(parts):
                part = ("{{" if index else "") + part + ("}}" if index + 1 < len(parts) else "")
                yield {"template": part, "context": CONTEXT}
    for template in SEVERAL_LINES:
        yield {"template": template, "context": CONTEXT}
    yield {"template": "a\r\nb\rc\n{{ 'x\r\ny' }}\n\n", "context": CONTEXT}
    yield {"template": "{% if yes %}\n  x\n{% endif %}\n{%- for i in nums -%}\n {{ i }}\n{% endfor %}\n", "context": CONTEXT}
    yield {"template": "", "context": {}}
    yield {"template": "{{ a }}{{ a.b }}", "context": {"a": {"b": "{{ a }}"}}}
    for line in FAILS.strip("\n").split("\n"):
        yield {"template": line, "context": CONTEXT, "fails": True}
    for line in REFUSED.strip("\n").split("\n"):
        yield {"template": line, "context": CONTEXT, "refused": True, "fails": True}
