// SPDX-License-Identifier: BSD-3-Clause
// The demonstration's application: readings of the board's sensor go to a peer, and the peer may change how often.
#ifndef BOARDS_APP_GREENHOUSE_H
#define BOARDS_APP_GREENHOUSE_H

#include "../../device/at.h"

const AtApplication *greenhouse(void);

#endif
