#include "index/disk_build.h"

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstring>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "core/crc32c.h"
#include "core/random.h"
#include "core/threads.h"
#include "index/build_budget.h"
#include "index/disk_index.h"
#include "index/meta.h"
#include "index/spann_options.h"
#include "spann/build.h"
#include "spann/external/groups.h"
#include "spann/external/source_floats.h"
#include "spann/pages/writer.h"
#include "storage/atomic_file.h"
#include "vectors/encode.h"

namespace hopspan::index {
namespace {

constexpr std::size_t kBatchBytes = std::size_t{1} << 20;
constexpr storage::Tag kCopySizes = "CPSZ";
constexpr storage::Tag kCopyEntries = "CPEN";

template <typename T>
void write_values(storage::ContainerWriter& writer, storage::Tag tag, const std::vector<T>& values) {
  writer.write(tag, values.data(), values.size() * sizeof(T));
}

template <typename T>
std::vector<T> read_section(const storage::ContainerReader& reader, storage::Tag tag) {
  const core::Array<T> stored = reader.array<T>(tag, true);
  return std::vector<T>(stored.data(), stored.data() + stored.size());
}

class DiskBuild {
 public:
  DiskBuild(storage::Env& env, const vectors::Source& source, const std::filesystem::path& path,
            const BuildOptions& options)
      : env_(env),
        source_(source),
        path_(path),
        options_(options),
        format_{options.index.dim, options.index.metric, options.index.dtype},
        how_(disk_options(options.index, format_.row_bytes(), source.rows(), options.threads)),
        coder_(disk_coder(options.index)),
        batch_(std::max<std::size_t>(1, kBatchBytes / std::max(format_.row_bytes(), source.row_bytes()))) {
    meta_.options = options.index;
    meta_.size = meta_.next_id = source.rows();
    meta_.explicit_ids = true;
    BuildSize size{source.rows(), format_.dim,   format_.row_bytes(),
                   how_.heads,    how_.capacity, core::worker_count(source.rows(), 1, options.threads)};
    how_.heads = size.heads = affordable_heads(size, least_disk_heads(size.vectors, size.capacity), options.memory);
    budget_ = share_memory(size, options.memory);
    how_.samples_per_head = budget_.samples_per_head;
  }

  void run() {
    try {
      file_id_ = check_source();
      if (!resume("pages", [](const storage::ContainerReader&) {})) make_pages();
      finish();
    } catch (...) {
      forget_phases();
      throw;
    }
    forget_phases();
  }

 private:
  Progress phase(const char* name) const {
    if (!options_.progress) return {};
    return [this, name](std::size_t done, std::size_t total) { options_.progress(name, done, total); };
  }

  std::filesystem::path phase_path(const char* name) const {
    std::filesystem::path path = path_;
    path += std::string(".build-") + name;
    return path;
  }

  // Looks at every row; returns a hash of them all and of the options, the same for any number of threads.
  std::uint64_t check_source() const {
    const std::size_t batches = (source_.rows() + batch_ - 1) / batch_;
    std::vector<std::uint32_t> sums(batches);
    core::parallel_for(batches, 1, options_.threads, phase("check"), [&](std::size_t b, std::size_t, std::size_t) {
      vectors::Matrix rows(format_);
      vectors::read_stored(source_, b * batch_, std::min(batch_, source_.rows() - b * batch_), rows);
      sums[b] = core::crc32c(rows.data(), rows.rows().size());
    });
    storage::ByteWriter meta;
    write_meta(meta_, meta);
    const std::uint32_t options =
        core::crc32c(meta.data(), meta.size(), static_cast<std::uint32_t>(how_.samples_per_head));
    std::uint64_t id = core::random_u64(core::random_u64(options, how_.heads), batch_);
    for (const std::uint32_t sum : sums) id = core::random_u64(id, sum);
    return id;
  }

  // Whether `take` got the whole file of a phase that was made of the same vectors and options.
  template <typename Take>
  bool resume(const char* name, Take&& take) const {
    if (env_.kind(phase_path(name)) != storage::FileKind::kRegular) return false;
    try {
      const storage::ContainerReader reader(env_.open(phase_path(name), false));
      if (reader.file_id() != file_id_) return false;
      take(reader);
      return true;
    } catch (const CorruptIndexError&) {
      return false;
    } catch (const VersionError&) {
      return false;
    }
  }

  template <typename Write>
  void save_phase(const char* name, Write&& write) const {
    storage::atomic_save(env_, phase_path(name), [&](storage::WritableFile& file) {
      storage::ContainerWriter writer(file, file_id_);
      write(writer);
      writer.finish();
    });
  }

  void forget_phases() const noexcept {
    for (const char* const name : {"heads", "plan", "pages"}) {
      try {
        if (env_.kind(phase_path(name)) == storage::FileKind::kRegular) env_.remove(phase_path(name));
      } catch (...) {  // it stays behind
      }
    }
  }

  void make_pages() {
    spann::Plan plan = make_plan();
    spann::external::Groups groups(env_, phase_path("group"), format_.row_bytes(), plan.copies, budget_.group_bytes);
    group(groups);
    save_phase("pages", [&](storage::ContainerWriter& writer) { write_pages(plan, groups, writer); });
  }

  spann::Plan make_plan() const {
    spann::Plan plan;
    const auto take_heads = [&](const storage::ContainerReader& reader) {
      plan.heads = read_section<float>(reader, "SPHD");
    };
    const auto take_plan = [&](const storage::ContainerReader& reader) {
      take_heads(reader);
      plan.copies = read_copies(reader);
    };
    if (resume("plan", take_plan)) return plan;
    const spann::external::SourceFloats floats(source_, format_);
    if (!resume("heads", take_heads)) {
      plan.heads = spann::plan_heads(floats, how_, phase("heads"));
      save_phase("heads", [&](storage::ContainerWriter& writer) { write_values(writer, "SPHD", plan.heads); });
    }
    spann::plan_lists(floats, how_, phase("assign"), plan);
    save_phase("plan", [&](storage::ContainerWriter& writer) {
      write_values(writer, "SPHD", plan.heads);
      write_copies(plan.copies, writer);
    });
    return plan;
  }

  static void write_copies(const spann::Copies& copies, storage::ContainerWriter& writer) {
    std::vector<std::uint32_t> sizes;
    for (const auto& list : copies) sizes.push_back(static_cast<std::uint32_t>(list.size()));
    write_values(writer, kCopySizes, sizes);
    writer.begin(kCopyEntries);
    for (const auto& list : copies) writer.append(list.data(), list.size() * sizeof(std::uint32_t));
    writer.end();
  }

  static spann::Copies read_copies(const storage::ContainerReader& reader) {
    spann::Copies copies;
    std::uint64_t offset = 0;
    for (const std::uint32_t size : read_section<std::uint32_t>(reader, kCopySizes)) {
      copies.emplace_back(size);
      reader.read(kCopyEntries, offset, copies.back().data(), size * sizeof(std::uint32_t));
      offset += size * sizeof(std::uint32_t);
    }
    return copies;
  }

  void group(spann::external::Groups& groups) const {
    const Progress progress = phase("group");
    vectors::Matrix rows(format_);
    for (std::size_t first = 0; first < source_.rows(); first += batch_) {
      if (progress) progress(first, source_.rows());
      vectors::read_stored(source_, first, std::min(batch_, source_.rows() - first), rows);
      groups.add(first, rows.size(), rows.data());
    }
    groups.close();
  }

  // Vectors are numbered anew, list by list.
  void write_pages(spann::Plan& plan, const spann::external::Groups& groups, storage::ContainerWriter& writer) const {
    std::vector<std::uint32_t> slots(source_.rows());
    std::uint32_t next = 0;
    for (const auto& list : plan.copies) {
      for (const std::uint32_t entry : list) {
        if ((entry & spann::kReplica) == 0) slots[entry] = next++;
      }
    }
    storage::ByteWriter meta;
    write_meta(meta_, meta);
    writer.write("META", meta.data(), meta.size());
    write_ids(plan.copies, writer);
    write_heads(plan.heads, writer);
    write_lists(plan, groups, slots, writer);
    write_rows(plan, groups, writer);
  }

  // The heads become what their codes stand for.
  void write_heads(std::vector<float>& heads, storage::ContainerWriter& writer) const {
    const std::size_t count = heads.size() / format_.dim;
    spann::HeadCodes codes = spann::encode_heads(heads.data(), count, format_.dim);
    writer.write("SPHM", codes.middle.data(), codes.middle.size() * sizeof(float));
    writer.write("SPHS", codes.steps.data(), codes.steps.size() * sizeof(float));
    writer.write("SPHC", codes.codes.data(), codes.codes.size());
    const spann::CodedHeads coded(std::move(codes), format_.metric);
    for (std::size_t h = 0; h < count; ++h) coded.decode(h, &heads[h * format_.dim]);
  }

  static void write_ids(const spann::Copies& copies, storage::ContainerWriter& writer) {
    writer.begin("IDS ");
    for (const auto& list : copies) {
      for (const std::uint32_t entry : list) {
        const std::int64_t id = entry;
        if ((entry & spann::kReplica) == 0) writer.append(&id, sizeof id);
      }
    }
    writer.end();
  }

  void write_lists(const spann::Plan& plan, const spann::external::Groups& groups,
                   const std::vector<std::uint32_t>& slots, storage::ContainerWriter& writer) const {
    const Progress progress = phase("write");
    spann::pages::ListWriter lists(writer, file_id_);
    for (std::size_t g = 0; g < groups.size(); ++g) {
      if (progress) progress(g, 2 * groups.size());
      const spann::external::Groups::Loaded loaded = groups.load(g);
      const std::size_t first = loaded.first_list();
      std::vector<core::Array<std::byte>> encoded(loaded.end_list() - first);
      core::parallel_for(encoded.size(), 4, options_.threads, {}, [&](std::size_t begin, std::size_t end, std::size_t) {
        for (std::size_t l = begin; l < end; ++l) {
          encoded[l] = encode(plan, first + l, loaded.rows(first + l), slots);
        }
      });
      for (const core::Array<std::byte>& list : encoded) lists.append(list.data(), list.size());
    }
    lists.finish();
  }

  core::Array<std::byte> encode(const spann::Plan& plan, std::size_t list, const std::byte* rows,
                                const std::vector<std::uint32_t>& slots) const {
    const std::vector<std::uint32_t>& copies = plan.copies[list];
    std::vector<std::uint32_t> entries(copies.size());
    std::vector<float> floats(copies.size() * format_.dim);
    for (std::size_t i = 0; i < copies.size(); ++i) {
      entries[i] = slots[spann::slot_of(copies[i])] | (copies[i] & spann::kReplica);
      spann::stored_to_floats(format_, rows + i * format_.row_bytes(), &floats[i * format_.dim]);
    }
    core::Array<std::byte> bytes;
    bytes.resize(spann::list_bytes(coder_.shape(), entries.size()));
    spann::write_list(coder_, &plan.heads[list * format_.dim], floats.data(), entries.data(), entries.size(),
                      bytes.mutable_data());
    return bytes;
  }

  void write_rows(const spann::Plan& plan, const spann::external::Groups& groups,
                  storage::ContainerWriter& writer) const {
    const Progress progress = phase("write");
    spann::pages::RowWriter rows(writer, file_id_, format_.row_bytes());
    for (std::size_t g = 0; g < groups.size(); ++g) {
      if (progress) progress(groups.size() + g, 2 * groups.size());
      const spann::external::Groups::Loaded loaded = groups.load(g);
      for (std::size_t list = loaded.first_list(); list < loaded.end_list(); ++list) {
        const std::byte* row = loaded.rows(list);
        for (const std::uint32_t entry : plan.copies[list]) {
          if ((entry & spann::kReplica) == 0) rows.append(row);
          row += format_.row_bytes();
        }
      }
    }
    rows.finish();
  }

  // The same sections and the calibration, which takes an index that can be searched.
  void finish() const {
    const std::shared_ptr<const storage::RandomAccessFile> file = env_.open_direct(phase_path("pages"));
    storage::ByteWriter calibration;
    DiskIndex(file, false, 0).calibrate(options_.threads, phase("calibrate")).write(calibration);
    const storage::ContainerReader reader(file);
    storage::atomic_save(env_, path_, [&](storage::WritableFile& out) {
      storage::ContainerWriter writer(out, file_id_);
      std::vector<std::byte> part(kBatchBytes);
      for (const storage::Section& section : reader.sections()) {
        writer.begin(section.tag);
        for (std::uint64_t done = 0; done < section.size; done += part.size()) {
          const std::size_t n = static_cast<std::size_t>(std::min<std::uint64_t>(part.size(), section.size - done));
          reader.read(section.tag, done, part.data(), n);
          writer.append(part.data(), n);
        }
        writer.end();
      }
      writer.write("SPCA", calibration.data(), calibration.size());
      writer.finish();
    });
  }

  storage::Env& env_;
  const vectors::Source& source_;
  const std::filesystem::path& path_;
  const BuildOptions& options_;
  const vectors::RowFormat format_;
  spann::BuildOptions how_;
  const spann::GridCoder coder_;
  const std::size_t batch_;  // rows that are read at a time
  Meta meta_;
  BuildBudget budget_{};
  std::uint64_t file_id_ = 0;
};

}  // namespace

void build_on_disk(storage::Env& env, const vectors::Source& source, const std::filesystem::path& path,
                   const BuildOptions& options) {
  check_options(options.index);
  if (options.index.kind != Kind::kSpann) throw InvalidArgument("an index on disk is of kind spann");
  if (source.rows() == 0) throw InvalidArgument("an index on disk takes at least 1 vector, not 0");
  if (source.rows() >= spann::kNoSlot) throw InvalidArgument(std::to_string(source.rows()) + " vectors are too many");
  vectors::check_view({options.index.dim, options.index.metric, options.index.dtype},
                      {nullptr, source.rows(), source.dim(), source.dtype()});
  DiskBuild(env, source, path, options).run();
}

}  // namespace hopspan::index
