// Builds an index on disk in phases, of which each holds no more than the budget and keeps what it has made in a file
// of its own until the index is whole.
#pragma once

#include <cstddef>
#include <filesystem>

#include "hopspan/build.h"
#include "storage/env.h"
#include "vectors/source.h"

namespace hopspan::index {

// As hopspan::build.
void build_on_disk(storage::Env& env, const vectors::Source& source, const std::filesystem::path& path,
                   const BuildOptions& options);

}  // namespace hopspan::index
