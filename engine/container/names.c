/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "engine/container/names.h"

#include "lib/base/ident.h"
#include "lib/base/str.h"

/* clang-format off */
static const char *const adjectives[] = {
        "able", "ample", "anchored", "balanced", "barnacled", "becalmed", "blustery", "bold", "brackish", "bright",
        "briny", "brisk", "broad", "buoyant", "calm", "careful", "caulked", "clever", "coastal", "copper",
        "cosy", "crisp", "deep", "distant", "downwind", "dry", "eager", "early", "eastern", "ebbing",
        "fair", "faithful", "fast", "foggy", "fresh", "frosty", "gentle", "glassy", "golden", "hardy",
        "hearty", "homeward", "honest", "jolly", "keen", "laden", "lively", "loaded", "loyal", "lucky",
        "mellow", "merry", "misty", "moonlit", "moored", "nimble", "northern", "oaken", "outbound", "patient",
        "plucky", "polished", "proud", "quick", "quiet", "rigged", "roaming", "rolling", "rusty", "salty",
        "sandy", "seaworthy", "sheltered", "shipshape", "silver", "sleek", "snug", "southern", "stalwart", "starboard",
        "steady", "steep", "stout", "sturdy", "sunlit", "swift", "tarred", "tidal", "trim", "trusty",
        "unsinkable", "upstream", "vivid", "wandering", "watchful", "weathered", "western", "wide", "windward", "woven",
};

static const char *const nouns[] = {
        "albatross", "anchor", "ballast", "barge", "barque", "beacon", "berth", "bilge", "boatswain", "bollard",
        "boom", "bosun", "bow", "breakwater", "brig", "bulkhead", "buoy", "cable", "caboose", "canal",
        "capstan", "captain", "cargo", "clipper", "coaster", "cockle", "compass", "cormorant", "coxswain", "crane",
        "crate", "crow", "cutter", "davit", "deck", "derrick", "dinghy", "dock", "dolphin", "dredger",
        "ferry", "foremast", "freighter", "frigate", "galley", "gangway", "gantry", "gull", "halyard", "harbour",
        "hatch", "hawser", "heron", "hold", "hull", "jetty", "jib", "kayak", "keel", "ketch",
        "lagoon", "lantern", "lighthouse", "lock", "longboat", "lugger", "manifest", "mariner", "mast", "mooring",
        "narwhal", "navigator", "oar", "pelican", "pier", "pilot", "porthole", "puffin", "purser", "quay",
        "rigger", "rudder", "sailor", "schooner", "seal", "sextant", "skiff", "skipper", "sloop", "spar",
        "steamer", "stevedore", "tackle", "tender", "tide", "tiller", "topsail", "trawler", "tug", "winch",
        "yawl",
};
/* clang-format on */

int names_check(const char *name, const char **ret, Error *reterr) {
        const char *bare = name;

        if (*bare == '/')
                bare++;
        if (!ident_is_name(bare))
                return error_set(reterr, ERROR_INVALID,
                        "Invalid container name (%s), only [a-zA-Z0-9][a-zA-Z0-9_.-] are allowed",
                        name);

        *ret = bare;
        return 0;
}

int names_make(uint64_t random, unsigned attempt, char **ret) {
        const char *adjective = adjectives[random % ARRAY_SIZE(adjectives)];
        const char *noun = nouns[(random >> 20) % ARRAY_SIZE(nouns)];

        if (attempt == 0)
                return str_printf(ret, "%s_%s", adjective, noun);
        return str_printf(ret, "%s_%s%u", adjective, noun, (unsigned) ((random >> 40) % 10));
}
