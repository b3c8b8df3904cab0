/* SPDX-License-Identifier: Apache-2.0 */
/* retrieve.h - the stages of the plugin retrieve. */
#ifndef XYLEM_PLUGINS_RETRIEVE_RETRIEVE_H
#define XYLEM_PLUGINS_RETRIEVE_RETRIEVE_H

#include <xylem/plugin.h>

extern const xy_stage retrieve_bm25, retrieve_embedding, retrieve_http;

#endif
