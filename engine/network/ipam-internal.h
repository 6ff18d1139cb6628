/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* Inside of ipam only: addresses as numbers. */

#include "engine/network/ipam.h"

typedef unsigned __int128 IpamNumber;

unsigned ipam_width(int family); /* bits of an address */
IpamNumber ipam_number(const IpamAddress *a);
IpamAddress ipam_from_number(int family, IpamNumber n);
IpamNumber ipam_host_mask(int family, unsigned bits);
