// What a folder's files are together: which snapshot counts, and which log goes on from it. Replaced as a whole, so a
// folder is always in the state before a change of its files or in the one after it.
//
//   96 bytes   magic "\x89HOPSDIR", u32 format version, u32 incompatible features, u32 compatible features, u32 zero,
//              u64 folder, u64 generation, u64 number, file id and bytes of the snapshot, u64 number of the log,
//              u64 sequence number of its first record, u64 bytes of it that are on the device, u32 zero,
//              u32 checksum of the 92 bytes before it
#pragma once

#include <cstdint>
#include <filesystem>

#include "storage/env.h"

namespace hopspan::durable {

struct Manifest {
  std::uint64_t folder = 0;      // drawn at random: tells the files of one index from those of any other
  std::uint64_t generation = 0;  // grows with every manifest
  std::uint64_t snapshot = 0;
  std::uint64_t snapshot_id = 0;
  std::uint64_t snapshot_bytes = 0;
  std::uint64_t log = 0;
  std::uint64_t first_sequence = 0;
  std::uint64_t log_synced = 0;
};

std::filesystem::path manifest_path(const std::filesystem::path& folder);

// Throws IoError with ENOENT when there is none, CorruptIndexError or VersionError unless every byte is right.
Manifest read_manifest(storage::Env& env, const std::filesystem::path& folder);
// Replaces it atomically.
void write_manifest(storage::Env& env, const std::filesystem::path& folder, const Manifest& manifest);

}  // namespace hopspan::durable
