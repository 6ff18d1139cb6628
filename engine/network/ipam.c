/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "engine/network/ipam.h"

#include "engine/network/ipam-internal.h"
#include "lib/base/alloc.h"
#include "lib/base/hashmap.h"
#include "lib/base/list.h"
#include "lib/base/parse.h"
#include "lib/base/str.h"
#include "lib/base/strv.h"

#define TRIES_MAX ((size_t) 1 << 20) /* addresses looked at for one that is free */

/* A range that is cut into subnets of one size. */
typedef struct Pool {
        IpamPrefix base;
        unsigned size;
} Pool;

struct Ipam {
        List subnets;
        Pool *pools;
        size_t n_pools;
        size_t n_pools_allocated;
        bool own4, own6; /* the pools of this family are the administrator's */
};

struct IpamSubnet {
        Ipam *ipam;
        ListNode by_ipam;
        IpamPrefix prefix;
        IpamPrefix range; /* bits of the prefix: all of it */
        bool has_range;
        Hashmap *taken; /* text of the address; the value means nothing */
        IpamNumber next;
};

/* As Docker has them. */
static const struct {
        const char *base;
        unsigned size;
} docker_pools[] = {
        { "172.17.0.0/16", 16 },
        { "172.18.0.0/16", 16 },
        { "172.19.0.0/16", 16 },
        { "172.20.0.0/14", 16 },
        { "172.24.0.0/14", 16 },
        { "172.28.0.0/14", 16 },
        { "192.168.0.0/16", 20 },
};

static int add_pool(Ipam *i, const IpamPrefix *base, unsigned size) {
        int r = array_grow(&i->pools, &i->n_pools_allocated, i->n_pools + 1);

        if (r < 0)
                return r;
        i->pools[i->n_pools++] = (Pool) { ipam_masked(base), size };
        return 0;
}

/* A unique local /48 (RFC 4193): fd and 40 bits that are the same as long as the seed is. */
static IpamPrefix own_ula(const char *seed) {
        IpamPrefix p = { .address.family = AF_INET6, .bits = 48 };
        uint64_t h = 0xcbf29ce484222325ULL; /* FNV-1a */

        for (const char *s = seed; *s; s++)
                h = (h ^ (uint8_t) *s) * 0x100000001b3ULL;
        h ^= h >> 29;
        p.address.six.s6_addr[0] = 0xfd;
        for (unsigned i = 0; i < 5; i++)
                p.address.six.s6_addr[1 + i] = (uint8_t) (h >> (8 * i));
        return p;
}

int ipam_new(const char *seed, Ipam **ret) {
        _cleanup_(ipam_freep) Ipam *i = NULL;
        IpamPrefix base;
        int r;

        assert(seed);
        assert(ret);

        i = new0(Ipam, 1);
        if (!i)
                return -ENOMEM;
        list_init(&i->subnets);
        for (size_t k = 0; k < ARRAY_SIZE(docker_pools); k++) {
                r = ipam_parse_prefix(docker_pools[k].base, &base);
                if (r >= 0)
                        r = add_pool(i, &base, docker_pools[k].size);
                if (r < 0)
                        return r;
        }
        base = own_ula(seed);
        r = add_pool(i, &base, 64);
        if (r < 0)
                return r;

        *ret = TAKE_PTR(i);
        return 0;
}

Ipam *ipam_free(Ipam *i) {
        if (!i)
                return NULL;

        assert(list_empty(&i->subnets));
        free(i->pools);
        free(i);
        return NULL;
}

static void drop_pools(Ipam *i, int family) {
        size_t n = 0;

        for (size_t k = 0; k < i->n_pools; k++)
                if (i->pools[k].base.address.family != family)
                        i->pools[n++] = i->pools[k];
        i->n_pools = n;
}

int ipam_add_pool(Ipam *i, const char *text, Error *reterr) {
        _cleanup_(strv_freep) char **words = NULL;
        const char *base = NULL, *size = NULL;
        IpamPrefix p;
        unsigned bits;
        bool *own;
        int r;

        r = strv_split(text, ",", /* keep_empty= */ false, &words);
        if (r < 0)
                return r;
        STRV_FOREACH (word, words) {
                base = str_starts(*word, "base=") ?: base;
                size = str_starts(*word, "size=") ?: size;
        }
        if (!base || !size || strv_length(words) != 2)
                return error_set(reterr, ERROR_INVALID,
                        "invalid default address pool \"%s\": expected base=CIDR,size=N", text);
        r = ipam_parse_prefix(base, &p);
        if (r < 0)
                return error_set(reterr, ERROR_INVALID,
                        "invalid default address pool \"%s\": \"%s\" is no CIDR", text, base);
        if (parse_unsigned(size, &bits) < 0 || bits < p.bits ||
                bits > ipam_width(p.address.family) - 2)
                return error_set(reterr, ERROR_INVALID,
                        "invalid default address pool \"%s\": size must be between %u and %u", text,
                        p.bits, ipam_width(p.address.family) - 2);

        own = p.address.family == AF_INET ? &i->own4 : &i->own6;
        if (!*own)
                drop_pools(i, p.address.family);
        *own = true;
        return add_pool(i, &p, bits);
}

static const IpamPrefix *find_overlap(
        Ipam *i, const IpamPrefix *p, const IpamPrefix *avoid, size_t n_avoid) {
        IpamSubnet *s;

        LIST_FOREACH (s, &i->subnets, by_ipam)
                if (ipam_overlap(&s->prefix, p))
                        return &s->prefix;
        for (size_t k = 0; k < n_avoid; k++)
                if (ipam_overlap(avoid + k, p))
                        return avoid + k;
        return NULL;
}

/* What is in the way is jumped over at once, however large it is. */
static bool search_pool(
        Ipam *i, const Pool *pool, const IpamPrefix *avoid, size_t n_avoid, IpamPrefix *ret) {
        int family = pool->base.address.family;
        IpamNumber first = ipam_number(&pool->base.address);
        IpamNumber last = first | ipam_host_mask(family, pool->base.bits);
        IpamNumber step = ipam_host_mask(family, pool->size);

        for (IpamNumber at = first; at >= first && at <= last;) {
                IpamPrefix p = { ipam_from_number(family, at), pool->size };
                const IpamPrefix *other = find_overlap(i, &p, avoid, n_avoid);
                IpamNumber end;

                if (!other) {
                        *ret = p;
                        return true;
                }
                end = ipam_number(&other->address) | ipam_host_mask(family, other->bits);
                end = MAX(end | step, at | step);
                if (end == ~(IpamNumber) 0)
                        break;
                at = end + 1;
        }
        return false;
}

static int choose(Ipam *i, int family, const IpamPrefix *avoid, size_t n_avoid, IpamPrefix *ret,
        Error *reterr) {
        for (size_t k = 0; k < i->n_pools; k++)
                if (i->pools[k].base.address.family == family &&
                        search_pool(i, i->pools + k, avoid, n_avoid, ret))
                        return 0;
        return error_set(
                reterr, ERROR_INTERNAL, "all predefined address pools have been fully subnetted");
}

int ipam_request(Ipam *i, int family, const IpamPrefix *wish, const IpamPrefix *range,
        const IpamPrefix *avoid, size_t n_avoid, IpamSubnet **ret, Error *reterr) {
        IpamPrefix p;
        IpamSubnet *s;
        int r;

        assert(i);
        assert(ret);
        assert(!wish || wish->address.family == family);

        if (wish) {
                p = ipam_masked(wish);
                if (find_overlap(i, &p, NULL, 0))
                        return error_set(reterr, ERROR_FORBIDDEN,
                                "invalid pool request: Pool overlaps with other one on this "
                                "address space");
        } else {
                r = choose(i, family, avoid, n_avoid, &p, reterr);
                if (r < 0)
                        return r;
        }

        s = new0(IpamSubnet, 1);
        if (!s)
                return -ENOMEM;
        s->ipam = i;
        s->prefix = p;
        s->range = range ? ipam_masked(range) : p;
        s->has_range = range != NULL;
        s->next = ipam_number(&s->range.address);
        list_append(&i->subnets, &s->by_ipam);
        *ret = s;
        return 0;
}

IpamSubnet *ipam_subnet_free(IpamSubnet *s) {
        if (!s)
                return NULL;

        list_remove(&s->by_ipam);
        hashmap_free(s->taken);
        free(s);
        return NULL;
}

const IpamPrefix *ipam_subnet_prefix(const IpamSubnet *s) {
        return &s->prefix;
}

bool ipam_subnet_has_range(const IpamSubnet *s) {
        return s->has_range;
}

/* The first address names the subnet itself, the last of IPv4 is everybody; subnets of one or two addresses have neither. */
static bool is_reserved(const IpamSubnet *s, IpamNumber n) {
        IpamNumber mask = ipam_host_mask(s->prefix.address.family, s->prefix.bits);

        if (mask <= 1)
                return false;
        return (n & mask) == 0 || (s->prefix.address.family == AF_INET && (n & mask) == mask);
}

bool ipam_is_taken(const IpamSubnet *s, const IpamAddress *a) {
        char text[IPAM_TEXT_SIZE];

        return hashmap_contains(s->taken, ipam_format(a, text));
}

static int put(IpamSubnet *s, const IpamAddress *a) {
        char text[IPAM_TEXT_SIZE];

        return hashmap_ensure_put(&s->taken, HASHMAP_STRING_COPY, ipam_format(a, text), s);
}

int ipam_take(IpamSubnet *s, const IpamAddress *a, Error *reterr) {
        char text[IPAM_TEXT_SIZE], prefix[IPAM_PREFIX_TEXT_SIZE];
        int r;

        assert(s);
        assert(a);

        if (!ipam_contains(&s->prefix, a) || is_reserved(s, ipam_number(a)))
                return error_set(reterr, ERROR_INVALID,
                        "address %s cannot be given out in the subnet %s", ipam_format(a, text),
                        ipam_format_prefix(&s->prefix, prefix));
        r = put(s, a);
        return r == -EEXIST ? error_set(reterr, ERROR_FORBIDDEN, "Address already in use") : r;
}

int ipam_take_next(IpamSubnet *s, const char *label, IpamAddress *ret, Error *reterr) {
        int family = s->range.address.family;
        IpamNumber first = ipam_number(&s->range.address);
        IpamNumber mask = ipam_host_mask(family, s->range.bits);
        IpamNumber at = s->next, start = at;

        for (size_t tries = 0; tries < TRIES_MAX; tries++) {
                IpamAddress a = ipam_from_number(family, at);
                IpamNumber after = at == (first | mask) ? first : at + 1;

                if (!is_reserved(s, at) && !ipam_is_taken(s, &a)) {
                        int r = put(s, &a);

                        if (r < 0)
                                return r;
                        s->next = after;
                        *ret = a;
                        return 0;
                }
                at = after;
                if (at == start)
                        break;
        }
        return error_set(reterr, ERROR_INTERNAL,
                "no available IPv%d addresses on this network's address pools: %s",
                family == AF_INET ? 4 : 6, str_or_empty(label));
}

void ipam_give_back(IpamSubnet *s, const IpamAddress *a) {
        char text[IPAM_TEXT_SIZE];

        if (s && a->family != 0)
                (void) hashmap_remove(s->taken, ipam_format(a, text));
}

void ipam_count(const IpamSubnet *s, uint64_t *ret_taken, uint64_t *ret_free) {
        IpamNumber mask = ipam_host_mask(s->range.address.family, s->range.bits);
        IpamNumber n_free = mask, used = 0;
        const char *key;
        void *value;

        if (mask != ~(IpamNumber) 0)
                n_free++;
        if (is_reserved(s, ipam_number(&s->range.address)))
                n_free--;
        if (mask > 0 && is_reserved(s, ipam_number(&s->range.address) | mask))
                n_free--;
        HASHMAP_FOREACH_KEY(value, key, s->taken) {
                IpamAddress a;

                used += ipam_parse(key, &a) >= 0 && ipam_contains(&s->range, &a);
        }
        n_free = used < n_free ? n_free - used : 0;
        *ret_taken = hashmap_size(s->taken);
        *ret_free = n_free > UINT64_MAX ? UINT64_MAX : (uint64_t) n_free;
}
