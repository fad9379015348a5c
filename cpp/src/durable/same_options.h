// Whether an index is what a caller takes it for.
#pragma once

#include <string>

#include "hopspan/options.h"

namespace hopspan::durable {

// Throws InvalidArgument naming the first option in which they differ. where: the index, for the message.
void check_same_options(const IndexOptions& stored, const IndexOptions& wanted, const std::string& where);

}  // namespace hopspan::durable
