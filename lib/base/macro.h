/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* Attributes, cleanup and small helpers that every file uses. Macros only; nothing here
 * allocates. */

#include <assert.h>
#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define _cleanup_(function)   __attribute__((cleanup(function)))
#define _printf_(text, first) __attribute__((__format__(__printf__, text, first)))
#define _sentinel_            __attribute__((sentinel))
#define _unused_              __attribute__((unused))
#define _must_use_            __attribute__((warn_unused_result))
#define _noreturn_            __attribute__((noreturn))
#define _packed_              __attribute__((packed))
#define _pure_                __attribute__((pure))
#define _const_               __attribute__((const))
#define _fallthrough_         __attribute__((fallthrough))

/* DEFINE_CLEANUP(Volume*, volume_free) makes volume_freep() for _cleanup_(volume_freep) Volume
 * *v = NULL; Objects in the caller's memory need none: _cleanup_(error_done) Error e = {}; */
#define DEFINE_CLEANUP(type, function)            \
        static inline void function##p(type *p) { \
                if (*p)                           \
                        (void) function(*p);      \
        }                                         \
        struct function##_needs_a_semicolon

/* The value leaves the variable, so that the cleanup of the variable does nothing. */
#define TAKE(variable, empty)                            \
        ({                                               \
                typeof(variable) *_take_p = &(variable); \
                typeof(variable) _take_v = *_take_p;     \
                *_take_p = (empty);                      \
                _take_v;                                 \
        })
#define TAKE_PTR(variable)    TAKE(variable, NULL)
#define TAKE_FD(variable)     TAKE(variable, -EBADF)
#define TAKE_STRUCT(variable) TAKE(variable, ((typeof(variable)) {}))

#define ARRAY_SIZE(array)                                                                         \
        (sizeof(array) / sizeof((array)[0]) + 0 * sizeof(struct {                                 \
                _Static_assert(!__builtin_types_compatible_p(typeof(array), typeof(&(array)[0])), \
                        "not an array");                                                          \
                int unused;                                                                       \
        }))

#define container_of(pointer, type, member) \
        ((type *) ((char *) (1 ? (pointer) : &((type *) 0)->member) - offsetof(type, member)))

/* Length of a string literal, known when compiling. */
#define STRLEN(literal) (sizeof("" literal "") - 1)

#undef MIN
#undef MAX
#define MIN(a, b) MACRO_PICK(<, a, b, __COUNTER__)
#define MAX(a, b) MACRO_PICK(>, a, b, __COUNTER__)
/* Names made unique by a number, so that one use may stand inside another. */
#define MACRO_PICK(operator, a, b, n) MACRO_PICK_UNIQUE(operator, a, b, n)
#define MACRO_PICK_UNIQUE(operator, a, b, n)              \
        ({                                                \
                typeof(a) _a_##n = (a);                   \
                typeof(b) _b_##n = (b);                   \
                _a_##n operator _b_##n ? _a_##n : _b_##n; \
        })
#define CLAMP(value, low, high) MIN(MAX(value, low), high)

#define DIV_ROUND_UP(a, b)      (((a) + (b) -1) / (b))
#define FLAGS_SET(value, flags) (((value) & (flags)) == (flags))

/* Sizes: overflow is an answer, not a wrap. True when the result does not fit. */
#define MUL_OVERFLOWS(a, b, ret) __builtin_mul_overflow(a, b, ret)
#define ADD_OVERFLOWS(a, b, ret) __builtin_add_overflow(a, b, ret)

/* Small integers kept as keys or values of a pointer-keyed Hashmap; zero is the NULL pointer. */
#define UINT_TO_PTR(u) ((void *) (uintptr_t) (u))
#define PTR_TO_UINT(p) ((unsigned) (uintptr_t) (p))

/* Marks the default: of a switch over an enum of ours. */
#define assert_unreachable()             \
        do {                             \
                assert(!"unreachable");  \
                __builtin_unreachable(); \
        } while (0)
