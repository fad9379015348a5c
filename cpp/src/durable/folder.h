// The names of an index's files in its folder, and which of them a crash has left over.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>

#include "durable/manifest.h"
#include "index/store.h"
#include "storage/env.h"
#include "storage/log.h"

namespace hopspan::durable {

std::filesystem::path snapshot_path(const std::filesystem::path& folder, std::uint64_t number);
std::filesystem::path log_path(const std::filesystem::path& folder, std::uint64_t number);
std::filesystem::path lock_path(const std::filesystem::path& folder);

// The only object that writes to the folder; throws LockedError, naming the holder where it is known.
std::unique_ptr<storage::FileLock> lock_folder(storage::Env& env, const std::filesystem::path& folder);

// A folder without a manifest can become an index when it is empty or holds what a crash of its making has left;
// throws InvalidArgument or CorruptIndexError for anything else.
void check_vacant(storage::Env& env, const std::filesystem::path& folder);

// Takes away the files of an index that the manifest does not name, as far as the system lets it; returns how many.
std::size_t remove_leftovers(storage::Env& env, const std::filesystem::path& folder, const Manifest& manifest);
// The largest number that a file in the folder has.
std::uint64_t last_number(storage::Env& env, const std::filesystem::path& folder);

// Throws CorruptIndexError unless it is the file that the manifest names. map: leave it in the file's pages.
std::unique_ptr<index::Store> open_snapshot(storage::Env& env, const std::filesystem::path& folder,
                                            const Manifest& manifest, bool map);
// Sets what the manifest says of its snapshot to what the file is.
void describe_snapshot(storage::Env& env, const std::filesystem::path& folder, Manifest& manifest);
storage::LogReader open_log(storage::Env& env, const std::filesystem::path& folder, const Manifest& manifest);

}  // namespace hopspan::durable
