/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <stdint.h>

/* In the network namespace of this process, as table "ip stauer-dns", made anew when it is there: what goes to 127.0.0.11:53 arrives at these ports there. */
int nft_redirect_dns(uint16_t udp_port, uint16_t tcp_port);
