// Saves a file so that, whatever happens and whenever, its name leads to the complete old bytes or the complete new
// ones.
#pragma once

#include <filesystem>

#include "core/function_ref.h"
#include "storage/env.h"

namespace hopspan::storage {

// Writes a temporary file in the folder of `path`, syncs it, renames it to `path` and syncs the folder. When it throws
// before the rename, the old file is untouched and the temporary is gone; when only the last step fails, the new file
// is in place but a power cut may still bring the old one back.
void atomic_save(Env& env, const std::filesystem::path& path, core::FunctionRef<void(WritableFile&)> write);

}  // namespace hopspan::storage
