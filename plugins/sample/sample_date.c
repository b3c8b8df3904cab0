/* SPDX-License-Identifier: Apache-2.0 */
#include <locale.h>
#include <time.h>

#include "sampler.h"

static bool read_digits(const char *at, int count, int64_t *out)
{
    *out = 0;
    for (int i = 0; i < count; i++) {
        if (at[i] < '0' || at[i] > '9')
            return false;
        *out = *out * 10 + (at[i] - '0');
    }
    return true;
}

static int64_t days_in(int64_t year, int64_t month)
{
    bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    if (month == 2)
        return leap ? 29 : 28;
    return month == 4 || month == 6 || month == 9 || month == 11 ? 30 : 31;
}

bool date_read(xy_str text, int64_t *days)
{
    int64_t year, month, day;
    if (text.len != 10 || text.ptr[4] != '-' || text.ptr[7] != '-' ||
        !read_digits(text.ptr, 4, &year) || !read_digits(text.ptr + 5, 2, &month) ||
        !read_digits(text.ptr + 8, 2, &day))
        return false;
    if (year < 1 || month < 1 || month > 12 || day < 1 || day > days_in(year, month))
        return false;
    /* Years begin in March here, so that the leap day is a year's last; 719468 days lie between
     * 0000-03-01 and 1970-01-01. */
    int64_t from_march = (month + 9) % 12, y = year - (month < 3);
    *days = 365 * y + y / 4 - y / 100 + y / 400 + (153 * from_march + 2) / 5 + day - 1 - 719468;
    return true;
}

size_t date_write(char *out, size_t size, const char *format, int64_t seconds)
{
    time_t moment = (time_t)seconds;
    struct tm parts;
    if (!gmtime_r(&moment, &parts))
        return 0;
    locale_t plain = newlocale(LC_ALL_MASK, "C", (locale_t)0);
    if (!plain)
        return 0;
    size_t length = strftime_l(out, size, format, &parts, plain);
    freelocale(plain);
    return length;
}
