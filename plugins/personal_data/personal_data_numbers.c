/* SPDX-License-Identifier: Apache-2.0 */
/* Payment cards (ISO/IEC 7812: prefix, length, Luhn) and IBAN (ISO 13616: length, mod-97). */
#include "personal_data_find.h"

enum { CARD_MOST = 19, IBAN_MOST = 34 };

/* ---- cards ----------------------------------------------------------------------------------- */

static bool luhn(const char *digits, size_t count)
{
    unsigned sum = 0;
    for (size_t i = 0; i < count; i++) {
        unsigned digit = (unsigned)(digits[count - 1 - i] - '0') * (1 + i % 2);
        sum += digit > 9 ? digit - 9 : digit;
    }
    return sum % 10 == 0;
}

/* The issuers' ranges: first digits between `low` and `high`, and how many digits a number has. */
static bool is_issued(const char *digits, size_t count)
{
    static const struct {
        uint32_t low, high; /* of the first four digits */
        uint32_t lengths;   /* bit n: n digits */
    } ranges[] = {
        {4000, 4999, 1u << 13 | 1u << 16 | 1u << 19}, /* Visa */
        {5100, 5599, 1u << 16}, {2221, 2720, 1u << 16}, /* Mastercard */
        {3400, 3499, 1u << 15}, {3700, 3799, 1u << 15}, /* American Express */
        {6011, 6011, 1u << 16}, {6440, 6599, 1u << 16}, /* Discover */
        {3600, 3699, 1u << 14}, {3800, 3899, 1u << 14}, {3000, 3059, 1u << 14}, /* Diners */
        {3528, 3589, 1u << 16}, /* JCB */
        {6200, 6299, 1u << 16 | 1u << 17 | 1u << 18 | 1u << 19}, /* UnionPay */
        {2200, 2204, 1u << 16}, /* Mir */
    };
    uint32_t first = 0;
    for (int i = 0; i < 4; i++)
        first = first * 10 + (uint32_t)(digits[i] - '0');
    for (size_t i = 0; i < sizeof(ranges) / sizeof(ranges[0]); i++)
        if (first >= ranges[i].low && first <= ranges[i].high && ranges[i].lengths >> count & 1)
            return true;
    return false;
}

/* Groups are of four digits, the last one of any length; or 4-6-5 and 4-6-4. */
static bool is_grouped(const size_t *groups, size_t count)
{
    if (count == 1)
        return true;
    if (count == 3 && groups[0] == 4 && groups[1] == 6)
        return groups[2] == 5 || groups[2] == 4;
    for (size_t i = 0; i + 1 < count; i++)
        if (groups[i] != 4)
            return false;
    return groups[count - 1] <= 4;
}

struct card {
    char digits[CARD_MOST], gap; /* gap: the sign between groups, 0 for none yet */
    size_t count, groups[CARD_MOST], group;
};

/* Does the sign at `at` stand between two groups? A blank after a short group ends the number. */
static bool goes_on(const struct card *card, xy_str text, size_t at)
{
    char c = at < text.len ? text.ptr[at] : 0;
    if ((c != ' ' && c != '-') || (card->gap && c != card->gap) || !personal_digit(text, at + 1))
        return false;
    return c == '-' || card->count < 13 || card->groups[card->group] == 4;
}

size_t personal_card(xy_str text, size_t at)
{
    struct card card = {.count = 0};
    for (;; at++) {
        if (personal_digit(text, at)) {
            if (card.count == CARD_MOST)
                return 0;
            card.digits[card.count++] = text.ptr[at];
            card.groups[card.group]++;
            continue;
        }
        if (!goes_on(&card, text, at))
            break;
        card.gap = text.ptr[at];
        card.group++; /* fewer than the digits, since each has one */
    }
    bool is = card.count >= 13 && is_grouped(card.groups, card.group + 1) &&
              is_issued(card.digits, card.count) && luhn(card.digits, card.count);
    return is && !personal_wordly(text, at) ? at : 0;
}

/* ---- IBAN ------------------------------------------------------------------------------------ */

/* The length of a country's IBAN (the SWIFT registry), 0 for a country without. */
static size_t iban_length(const char *country)
{
    static const char lengths[] =
        "AD24AE23AL28AT20AZ28BA20BE16BG22BH22BI27BR29BY28CH21CR22CY28CZ24DE22DJ27DK18DO28EE20EG29"
        "ES24FI18FK18FO18FR27GB22GE22GI23GL18GR27GT28HR21HU28IE22IL23IQ23IS26IT27JO30KW30KZ20LB28"
        "LC32LI21LT20LU20LV21LY25MC27MD24ME22MK19MN20MR27MT31MU30NI28NL18NO15OM23PK24PL28PS29PT25"
        "QA29RO24RS22RU33SA24SC31SD18SE24SI19SK24SM27SO23ST25SV28TL23TN24TR26UA29VA22VG24XK20";
    for (size_t i = 0; i + 4 < sizeof(lengths); i += 4)
        if (lengths[i] == country[0] && lengths[i + 1] == country[1])
            return (size_t)(lengths[i + 2] - '0') * 10 + (size_t)(lengths[i + 3] - '0');
    return 0;
}

static bool mod_97(const char *code, size_t length)
{
    unsigned rest = 0;
    for (size_t i = 0; i < length; i++) {
        char c = code[(i + 4) % length]; /* the country and the check digits go behind */
        rest = c <= '9' ? (rest * 10 + (unsigned)(c - '0')) % 97
                        : (rest * 100 + (unsigned)(c - 'A') + 10) % 97;
    }
    return rest == 1;
}

static bool is_capital(xy_str text, size_t at)
{
    return at < text.len && text.ptr[at] >= 'A' && text.ptr[at] <= 'Z';
}

/* Blanks stand after each four characters, or nowhere. */
size_t personal_iban(xy_str text, size_t at)
{
    char code[IBAN_MOST];
    size_t count = 0;
    if (!is_capital(text, at) || !is_capital(text, at + 1) || !personal_digit(text, at + 3))
        return 0;
    size_t wanted = iban_length(text.ptr + at);
    bool spaced = at + 4 < text.len && text.ptr[at + 4] == ' ';
    while (count < wanted) {
        if (spaced && count && count % 4 == 0 && at < text.len)
            at += text.ptr[at] == ' ';
        if (!personal_digit(text, at) && !is_capital(text, at))
            return 0;
        code[count++] = text.ptr[at++];
    }
    return wanted && !personal_wordly(text, at) && mod_97(code, wanted) ? at : 0;
}
