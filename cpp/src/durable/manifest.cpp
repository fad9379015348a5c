#include "durable/manifest.h"

#include <cstring>
#include <string>

#include "core/crc32c.h"
#include "hopspan/error.h"
#include "storage/atomic_file.h"
#include "storage/byte_reader.h"
#include "storage/container_format.h"

namespace hopspan::durable {
namespace {

constexpr char kMagic[] = "\x89HOPSDIR";
constexpr std::uint32_t kVersion = 1;
constexpr std::size_t kBytes = 96;

}  // namespace

std::filesystem::path manifest_path(const std::filesystem::path& folder) { return folder / "manifest"; }

Manifest read_manifest(storage::Env& env, const std::filesystem::path& folder) {
  const std::unique_ptr<storage::RandomAccessFile> file = env.open(manifest_path(folder), false);
  const auto corrupt = [&](const std::string& what) { throw CorruptIndexError(file->name() + ": " + what); };
  std::byte bytes[kBytes];
  if (file->size() < kBytes) corrupt("it has " + std::to_string(file->size()) + " bytes, too few for a manifest");
  file->read(0, bytes, kBytes);
  storage::ByteReader reader(bytes, kBytes, file->name());
  char magic[8];
  reader.bytes(magic, sizeof magic);
  if (std::memcmp(magic, kMagic, sizeof magic) != 0) corrupt("it is not the manifest of a hopspan index");
  const std::uint32_t version = reader.u32();
  std::uint32_t checksum;
  std::memcpy(&checksum, bytes + kBytes - 4, 4);
  if (!storage::checksums_match(checksum, core::crc32c(bytes, kBytes - 4))) corrupt("it is damaged");
  if (version > kVersion) {
    throw VersionError(file->name() + ": manifest version " + std::to_string(version) +
                       "; this release reads versions up to " + std::to_string(kVersion));
  }
  const std::uint32_t incompatible = reader.u32();
  if (incompatible != 0) {
    throw VersionError(file->name() + ": feature bits " + std::to_string(incompatible) +
                       " are unknown to this release");
  }
  reader.u32();  // compatible features
  reader.u32();
  Manifest manifest;
  manifest.folder = reader.u64();
  manifest.generation = reader.u64();
  manifest.snapshot = reader.u64();
  manifest.snapshot_id = reader.u64();
  manifest.snapshot_bytes = reader.u64();
  manifest.log = reader.u64();
  manifest.first_sequence = reader.u64();
  manifest.log_synced = reader.u64();
  if (file->size() != kBytes || version != kVersion) corrupt("it is not what a manifest must be");
  return manifest;
}

void write_manifest(storage::Env& env, const std::filesystem::path& folder, const Manifest& manifest) {
  storage::ByteWriter writer;
  writer.bytes(kMagic, 8);
  writer.u32(kVersion);
  for (int i = 0; i < 3; ++i) writer.u32(0);
  writer.u64(manifest.folder);
  writer.u64(manifest.generation);
  writer.u64(manifest.snapshot);
  writer.u64(manifest.snapshot_id);
  writer.u64(manifest.snapshot_bytes);
  writer.u64(manifest.log);
  writer.u64(manifest.first_sequence);
  writer.u64(manifest.log_synced);
  writer.u32(0);
  writer.u32(core::crc32c(writer.data(), writer.size()));
  storage::atomic_save(env, manifest_path(folder),
                       [&](storage::WritableFile& file) { file.append(writer.data(), writer.size()); });
}

}  // namespace hopspan::durable
