/* SPDX-License-Identifier: Apache-2.0 */
#ifndef XYLEM_PLUGINS_AGREEMENT_AGREEMENT_INTERNAL_H
#define XYLEM_PLUGINS_AGREEMENT_AGREEMENT_INTERNAL_H

#include "names.h"

extern const xy_stage agreement_filter;

#endif
