/* SPDX-License-Identifier: Apache-2.0 */
#include "language_cld2.h"

#include <cstdio> // the library's header needs it first

#include <cld2/public/compact_lang_det.h>
#include <cld2/public/encodings.h>

struct language_guess language_tell(const char *text, size_t length)
{
    const CLD2::CLDHints hints = {NULL, NULL, CLD2::UNKNOWN_ENCODING, CLD2::UNKNOWN_LANGUAGE};
    /* A text that is no UTF-8 to the library leaves its answer as it was. */
    CLD2::Language languages[3] = {CLD2::UNKNOWN_LANGUAGE, CLD2::UNKNOWN_LANGUAGE,
                                   CLD2::UNKNOWN_LANGUAGE};
    double scores[3] = {0, 0, 0};
    int percents[3] = {0, 0, 0}, bytes = 0, valid = 0;
    bool reliable = false;
    CLD2::ExtDetectLanguageSummaryCheckUTF8(text, static_cast<int>(length), true, &hints, 0,
                                            languages, percents, scores, NULL, &bytes, &reliable,
                                            &valid);
    return {CLD2::LanguageCode(languages[0]), percents[0] / 100.0, reliable};
}

const char *language_code(size_t index)
{
    if (index >= CLD2::NUM_LANGUAGES)
        return NULL;
    return CLD2::LanguageCode(static_cast<CLD2::Language>(index));
}
