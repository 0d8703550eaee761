/* wallet.h - whether a text is an address of a wallet: by its shape, and by its checksum where it has one. */
#pragma once

#include "base/str.h"

enum qn_wallet_address {
        QN_WALLET_NONE,
        QN_WALLET_ETHEREUM,
        QN_WALLET_BITCOIN, /* and what is written alike, such as TRON's */
};

enum qn_wallet_address qn_wallet_address(struct qn_str s);
