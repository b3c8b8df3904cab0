/* SPDX-License-Identifier: Apache-2.0 */
/* check.h - a CUnit main in one call: list the tests, run them, exit non-zero when one failed. */
#ifndef XYLEM_TESTS_CHECK_H
#define XYLEM_TESTS_CHECK_H

#include <CUnit/Basic.h>
#include <stdio.h>
#include <string.h>

struct check {
    const char *name;
    void (*run)(void);
};

/* `checks` ends with a NULL name. */
static inline int check_main(const char *suite_name, const struct check *checks)
{
    if (CU_initialize_registry() != CUE_SUCCESS)
        return 2;
    CU_pSuite suite = CU_add_suite(suite_name, NULL, NULL);
    for (const struct check *check = checks; suite && check->name; check++)
        CU_add_test(suite, check->name, check->run);
    CU_basic_set_mode(CU_BRM_VERBOSE);
    CU_basic_run_tests();
    unsigned failures = CU_get_number_of_failures() + (suite == NULL);
    CU_cleanup_registry();
    return failures ? 1 : 0;
}

/* Strings with both values printed when they differ. */
#define CHECK_TEXT(actual, expected)                                                              \
    do {                                                                                          \
        const char *actual_ = (actual), *expected_ = (expected);                                  \
        CU_ASSERT(actual_ && strcmp(actual_, expected_) == 0);                                    \
        if (!actual_ || strcmp(actual_, expected_) != 0)                                          \
            printf("\n    %s:%d: got \"%s\", expected \"%s\"\n", __FILE__, __LINE__,              \
                   actual_ ? actual_ : "(null)", expected_);                                      \
    } while (0)

#endif
