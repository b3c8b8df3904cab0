/* SPDX-License-Identifier: Apache-2.0 */
/* Telephone numbers: the international form (E.123), national forms that begin with 0 and have a
 * separator, North American ones; and any run of digits after a word like "phone". */
#include "personal_data_find.h"

enum { GROUPS = 10, NEAR = 32 }; /* NEAR: bytes in front of a number where a word says what it is */

struct number { /* as it is written */
    size_t end, digits, groups;
    size_t lengths[GROUPS]; /* of each run of digits */
    char gaps[GROUPS];      /* gaps[i]: before group i */
    char first[4];          /* digits */
};

static bool is_gap(char c)
{
    return c == ' ' || c == '-' || c == '.' || c == '/';
}

/* The length of what separates two groups: one sign, a bracket with a blank beside, or a blank that
 * does not break. 0: the number ends. `*sign` is the sign. */
static size_t gap_at(xy_str text, size_t at, char *sign)
{
    size_t length = 0;
    char c = at < text.len ? text.ptr[at] : 0, next = at + 1 < text.len ? text.ptr[at + 1] : 0;
    *sign = c;
    if (c == ')' || c == '(') {
        length = c == ')' && is_gap(next) ? 2 : 1;
    } else if (is_gap(c)) {
        length = c == ' ' && next == '(' ? 2 : 1;
    } else if (c == '\xc2' && next == '\xa0') {
        length = 2;
        *sign = ' ';
    }
    return length && personal_digit(text, at + length) ? length : 0;
}

/* Reads groups of digits from `at` on, a digit. */
static bool read_number(xy_str text, size_t at, struct number *number)
{
    *number = (struct number){.groups = 1};
    for (;;) {
        if (personal_digit(text, at)) {
            if (number->digits < 4)
                number->first[number->digits] = text.ptr[at];
            number->digits++;
            number->lengths[number->groups - 1]++;
            at++;
            continue;
        }
        char sign;
        size_t gap = gap_at(text, at, &sign);
        if (!gap)
            break;
        if (number->groups == GROUPS)
            return false;
        number->gaps[number->groups++] = sign;
        at += gap;
    }
    number->end = at;
    bool goes_on = personal_wordly(text, at) ||
                   (at + 1 < text.len && personal_digit(text, at + 1) &&
                    strchr(":,=_*^", text.ptr[at]) != NULL);
    return !goes_on;
}

/* 31.12.2024, 2024-12-31, 12/31/24 and the like, alone or before something else. */
static bool is_date(const struct number *number)
{
    const size_t *length = number->lengths;
    if (number->groups < 3 || number->gaps[1] != number->gaps[2] || number->gaps[1] == ' ')
        return false;
    bool day_first = length[0] <= 2 && length[1] <= 2 && length[2] == 4;
    return day_first || (length[0] == 4 && length[1] <= 2 && length[2] <= 2);
}

/* Is one of the words, a list with a blank on each side of each, near in front of the number? */
static bool is_near(xy_str text, size_t at, const char *list)
{
    size_t from = at > NEAR ? at - NEAR : 0;
    for (size_t i = from; i < at; i++) {
        char word[NEAR + 3] = " ";
        size_t length = 1;
        if (text.ptr[i] == '\n') /* another line says nothing about this one */
            continue;
        if (i > 0 && personal_wordly(text, i - 1))
            continue;
        while (i < at && personal_wordly(text, i) && length < NEAR) {
            char c = text.ptr[i++];
            word[length++] = c >= 'A' && c <= 'Z' ? (char)(c | 0x20) : c;
        }
        word[length] = ' ';
        word[length + 1] = '\0';
        if (length > 1 && strstr(list, word) && !memchr(text.ptr + i, '\n', at - i))
            return true;
    }
    return false;
}

static bool is_north_american(const struct number *number)
{
    const size_t *length = number->lengths;
    bool country = number->groups == 4 && length[0] == 1 && number->first[0] == '1';
    size_t area = country ? 1 : 0;
    if (number->groups != area + 3 || length[area] != 3 || length[area + 1] != 3 ||
        length[area + 2] != 4)
        return false;
    char gap = number->gaps[area + 2];
    bool bracket = number->gaps[area + 1] == ')';
    return number->first[area] >= '2' && (gap == '-' || gap == '.' || bracket) &&
           (bracket || number->gaps[area + 1] == gap);
}

static bool is_national(const struct number *number)
{
    if (number->first[0] != '0' || number->first[1] == '0' || number->groups < 2)
        return false;
    for (size_t i = 0; i < number->groups; i++)
        if (number->lengths[i] < 2)
            return false;
    bool length = number->digits >= 9 && number->digits <= 12;
    return length && number->groups <= 6;
}

static bool is_international(const struct number *number, bool plus)
{
    if (plus)
        return number->digits >= 8 && number->digits <= 15 && number->first[0] != '0';
    return number->first[0] == '0' && number->first[1] == '0' && number->first[2] != '0' &&
           number->digits >= 10 && number->digits <= 17 && number->groups >= 2;
}

/* Is the number, of which the form is known, a telephone's, by the words in front? */
static bool is_phone(xy_str text, size_t from, const struct number *number, bool plus)
{
    static const char says[] =
        " tel phone telephone mobile cell fax telefon handy mobil mobilnummer telefonnummer tél "
        "téléphone teléfono telefono móvil whatsapp ";
    static const char denies[] =
        " order invoice no nr ref reference isbn id ticket case serial version tracking account "
        "article item part sku model bestellung rechnung artikel konto commande facture pedido ";
    if (is_international(number, plus))
        return plus || !is_near(text, from, denies);
    if (plus)
        return false;
    if (is_near(text, from, says))
        return number->digits >= 7 && number->digits <= 15;
    return (is_north_american(number) || is_national(number)) && !is_near(text, from, denies);
}

size_t personal_phone(xy_str text, size_t at)
{
    struct number number;
    size_t from = at;
    bool plus = text.ptr[at] == '+', bracket = false;
    if (!plus && at >= 2 && is_gap(text.ptr[at - 1]) && personal_digit(text, at - 2))
        return 0; /* the rest of a longer number, of which the beginning was none */
    at += plus;
    if (at < text.len && text.ptr[at] == '(') {
        bracket = true;
        at++;
    }
    if (!personal_digit(text, at) || !read_number(text, at, &number) || is_date(&number))
        return 0;
    if (bracket && (number.groups < 2 || number.gaps[1] != ')'))
        return 0;
    return is_phone(text, from, &number, plus) ? number.end : 0;
}
