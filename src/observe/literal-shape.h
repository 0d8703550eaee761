/* literal-shape.h - what a text in code is by its shape: an address of a server that matters. */
#pragma once

#include "base/str.h"

struct qn_classes;
struct qn_event;

/* A URL whose host has a class (data/hosts.yaml) that is not private: true and its URL_LITERAL event, with slices of s. */
bool qn_url_of_interest(const struct qn_classes *c, struct qn_str s, struct qn_event *ret);
