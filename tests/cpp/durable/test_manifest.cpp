#include "core/crc32c.h"
#include "durable/manifest.h"
#include "faults/fault_env.h"
#include "test.h"

namespace {

using namespace hopspan;
using durable::Manifest;
using faults::Bytes;
using faults::FaultEnv;

const Manifest kManifest = {1, 2, 3, 4, 5, 6, 7, 8};

Bytes manifest_bytes() {
  FaultEnv env;
  durable::write_manifest(env, "folder", kManifest);
  return env.bytes("folder/manifest");
}

bool is_same(const Manifest& a, const Manifest& b) {
  return a.folder == b.folder && a.generation == b.generation && a.snapshot == b.snapshot &&
         a.snapshot_id == b.snapshot_id && a.snapshot_bytes == b.snapshot_bytes && a.log == b.log &&
         a.first_sequence == b.first_sequence && a.log_synced == b.log_synced;
}

Manifest read(const Bytes& bytes) {
  FaultEnv env;
  env.put("folder/manifest", bytes);
  return durable::read_manifest(env, "folder");
}

bool refused(const Bytes& bytes) {
  try {
    read(bytes);
  } catch (const CorruptIndexError&) {
    return true;
  }
  return false;
}

}  // namespace

TEST(manifest_comes_back) {
  CHECK(is_same(read(manifest_bytes()), kManifest));
  CHECK_EQUAL(manifest_bytes().size(), 96u);
  FaultEnv env;
  CHECK_THROWS(IoError, "manifest", durable::read_manifest(env, "folder"));
}

TEST(manifest_notices_every_flipped_bit_and_every_other_size) {
  Bytes bytes = manifest_bytes();
  for (std::size_t bit = 0; bit < 8 * bytes.size(); ++bit) {
    bytes[bit / 8] ^= std::byte{1} << (bit % 8);
    CHECK(refused(bytes));
    bytes[bit / 8] ^= std::byte{1} << (bit % 8);
  }
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    CHECK(refused(Bytes(bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(size))));
  }
  bytes.push_back(std::byte{0});
  CHECK(refused(bytes));
}

TEST(manifest_of_a_newer_version_or_feature_is_refused_by_name) {
  const auto changed = [](std::size_t at) {
    Bytes bytes = manifest_bytes();
    bytes[at] = std::byte{2};
    const std::uint32_t checksum = core::crc32c(bytes.data(), bytes.size() - 4);
    std::memcpy(bytes.data() + bytes.size() - 4, &checksum, 4);
    return bytes;
  };
  CHECK_THROWS(VersionError, "manifest version 2", read(changed(8)));
  CHECK_THROWS(VersionError, "feature bits 2", read(changed(12)));
  CHECK(is_same(read(changed(16)), kManifest));
}

TEST(manifest_is_replaced_as_a_whole_at_every_power_cut) {
  const Manifest old = {9, 8, 7, 6, 5, 4, 3, 2};
  const auto prepare = [&](FaultEnv& env) { durable::write_manifest(env, "folder", old); };
  const auto body = [&](FaultEnv& env) { durable::write_manifest(env, "folder", kManifest); };
  faults::for_each_power_cut(prepare, body, [&](FaultEnv& survivor, bool done) {
    const Manifest found = durable::read_manifest(survivor, "folder");
    CHECK(is_same(found, kManifest) || (is_same(found, old) && !done));
  });
}
