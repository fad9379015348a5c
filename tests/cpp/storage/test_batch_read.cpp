// Every way to read a batch gives the same bytes, the same errors and, once it has returned, no read under way.
//
// Planted bugs that turn these tests red, each tried on its own: no pthread_atfork (a child uses its parent's ring), a
// Batch that leaves at the first error (a later batch on that ring gets ends that are not its own), an end that is
// taken for whole although it is short, and no limit on the reads under way.
#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstring>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "core/buffer.h"
#include "core/random.h"
#include "faults/fault_env.h"
#include "storage/batch_read.h"
#include "storage/io_uring.h"
#include "storage/temporary_folder.h"
#include "test.h"

#if defined(__linux__)
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstddef>
#endif

using hopspan::CorruptIndexError;
using hopspan::InvalidArgument;
using hopspan::IoError;
using hopspan::core::Buffer;
using hopspan::core::random_u64;
using hopspan::storage::Env;
using hopspan::storage::RandomAccessFile;
using hopspan::storage::Read;
using hopspan::storage::read_batch;
using hopspan::storage::ReadBackend;
using hopspan::storage::select_backend;

namespace {

constexpr std::size_t kPage = 4096;
constexpr ReadBackend kBackends[] = {ReadBackend::kThreads, ReadBackend::kIoUring};

constexpr auto kAnyTime = [](std::size_t) { return true; };

// Page i is filled with random numbers of the stream i.
std::vector<std::byte> page_of(std::size_t i) {
  std::vector<std::byte> page(kPage);
  for (std::size_t at = 0; at < kPage; at += 8) {
    const std::uint64_t value = random_u64(i, at);
    std::memcpy(page.data() + at, &value, 8);
  }
  return page;
}

std::vector<std::byte> pages(std::size_t count) {
  std::vector<std::byte> all;
  for (std::size_t i = 0; i < count; ++i) {
    const std::vector<std::byte> page = page_of(i);
    all.insert(all.end(), page.begin(), page.end());
  }
  return all;
}

// Room for pages at multiples of their size.
class Room {
 public:
  explicit Room(std::size_t count) : buffer_((count + 1) * kPage) {}
  std::byte* page(std::size_t i) {
    const auto start = reinterpret_cast<std::uintptr_t>(buffer_.data());
    return buffer_.data() + (kPage - start % kPage) % kPage + i * kPage;
  }

 private:
  Buffer buffer_;
};

// Reads `count` scattered pages of a file of `total`, and whether each came once and right.
bool reads_right(const RandomAccessFile& file, std::size_t total, std::size_t count, ReadBackend backend,
                 std::uint64_t seed = 1) {
  Room room(count);
  std::vector<Read> reads;
  std::vector<std::size_t> numbers;
  for (std::size_t i = 0; i < count; ++i) {
    numbers.push_back(random_u64(seed, i) % total);
    reads.push_back({&file, numbers[i] * kPage, room.page(i), kPage});
  }
  std::vector<int> times(count);
  bool right = true;
  read_batch(
      reads.data(), count, kAnyTime,
      [&](std::size_t i) {
        ++times[i];
        right = right && std::memcmp(room.page(i), page_of(numbers[i]).data(), kPage) == 0;
      },
      backend);
  return right && std::all_of(times.begin(), times.end(), [](int n) { return n == 1; });
}

struct Stored {
  explicit Stored(std::size_t count) {
    folder.write("pages", pages(count));
    direct = Env::system().open_direct(folder.path() / "pages");
    plain = Env::system().open(folder.path() / "pages", false);
  }
  TemporaryFolder folder;
  std::unique_ptr<RandomAccessFile> direct;
  std::unique_ptr<RandomAccessFile> plain;
};

#if defined(__linux__)
template <typename Body>
bool in_child(Body body) {
  const pid_t child = fork();
  if (child == 0) {
    alarm(20);
    bool fine = false;
    try {
      fine = body();
    } catch (...) {
    }
    _exit(fine ? 0 : 1);
  }
  int status = -1;
  return child > 0 && waitpid(child, &status, 0) == child && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

// From here on the kernel answers io_uring_setup with `code`.
bool refuse_io_uring(int code) {
  sock_filter filter[] = {
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, __NR_io_uring_setup, 0, 1),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | static_cast<unsigned>(code)),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
  };
  const sock_fprog program = {4, filter};
  return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 && prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0;
}
#endif

}  // namespace

TEST(batch_read_brings_every_page_once_by_every_backend) {
  const Stored stored(200);
  for (const ReadBackend backend : kBackends) {
    for (const std::size_t count : {0, 1, 2, 63, 64, 65, 500}) {
      CHECK(reads_right(*stored.direct, 200, count, backend));
      CHECK(reads_right(*stored.plain, 200, count, backend));
    }
  }
}

// Reads share three pages of memory, which each takes when it starts.
TEST(batch_read_starts_no_read_before_it_may) {
  const Stored stored(200);
  for (const ReadBackend backend : kBackends) {
    Room room(3);
    std::vector<Read> reads;
    for (std::size_t i = 0; i < 150; ++i) reads.push_back({stored.direct.get(), i * kPage, nullptr, kPage});
    std::vector<std::byte*> free = {room.page(0), room.page(1), room.page(2)};
    std::size_t started = 0, right = 0;
    const auto start = [&](std::size_t i) {
      if (free.empty()) return false;
      CHECK_EQUAL(i, started);
      ++started;
      reads[i].out = free.back();
      free.pop_back();
      return true;
    };
    const auto done = [&](std::size_t i) {
      if (std::memcmp(reads[i].out, page_of(i).data(), kPage) == 0) ++right;
      free.push_back(static_cast<std::byte*>(reads[i].out));
    };
    read_batch(reads.data(), reads.size(), start, done, backend);
    CHECK_EQUAL(right, 150u);
    CHECK_EQUAL(started, 150u);
  }
}

TEST(batch_read_of_a_file_without_descriptor_reads_it_all_the_same) {
  hopspan::faults::FaultEnv env;
  env.put("pages", pages(20));
  const auto file = env.open_direct("pages");
  for (const ReadBackend backend : kBackends) CHECK(reads_right(*file, 20, 50, backend));
}

TEST(batch_read_passes_on_an_error_and_the_next_batch_is_fine) {
  hopspan::faults::FaultEnv env;
  env.put("pages", pages(20));
  const auto file = env.open("pages", false);
  env.fail_read_at(7, EIO);
  try {
    reads_right(*file, 20, 50, ReadBackend::kThreads);
    CHECK(false);
  } catch (const IoError& error) {
    CHECK_EQUAL(error.code(), EIO);
  }
  CHECK(reads_right(*file, 20, 50, ReadBackend::kThreads));
}

// One read of many reaches past the end.
TEST(batch_read_past_the_end_is_an_error_and_the_next_batch_is_fine) {
  const Stored stored(100);
  for (const ReadBackend backend : kBackends) {
    for (const RandomAccessFile* file : {stored.direct.get(), stored.plain.get()}) {
      for (int round = 0; round < 20; ++round) {
        Room room(80);
        std::vector<Read> reads;
        for (std::size_t i = 0; i < 80; ++i) reads.push_back({file, (i == 3 ? 100 : i) * kPage, room.page(i), kPage});
        CHECK_THROWS(CorruptIndexError, "past its end",
                     read_batch(reads.data(), 80, kAnyTime, [](std::size_t) {}, backend));
        CHECK(reads_right(*file, 100, 80, backend, static_cast<std::uint64_t>(round)));
      }
    }
  }
}

TEST(batch_read_of_a_file_that_was_cut_off_later_is_an_error) {
  const Stored stored(100);
  std::filesystem::resize_file(stored.folder.path() / "pages", 50 * kPage + 100);
  for (const ReadBackend backend : kBackends) {
    for (const RandomAccessFile* file : {stored.direct.get(), stored.plain.get()}) {
      Room room(3);
      const Read reads[] = {{file, 0, room.page(0), kPage},
                            {file, 50 * kPage, room.page(1), kPage},
                            {file, 70 * kPage, room.page(2), kPage}};
      CHECK_THROWS(CorruptIndexError, "past its end", read_batch(reads, 2, kAnyTime, [](std::size_t) {}, backend));
      CHECK_THROWS(CorruptIndexError, "past its end", read_batch(reads, 3, kAnyTime, [](std::size_t) {}, backend));
    }
  }
}

TEST(batch_read_lets_the_exception_of_done_out_after_all_reads) {
  const Stored stored(200);
  for (const ReadBackend backend : kBackends) {
    for (int round = 0; round < 20; ++round) {
      Room room(150);
      std::vector<Read> reads;
      for (std::size_t i = 0; i < 150; ++i) reads.push_back({stored.direct.get(), i * kPage, room.page(i), kPage});
      std::size_t calls = 0;
      const auto stop = [&](std::size_t) {
        if (++calls == 10) throw std::runtime_error("enough");
      };
      CHECK_THROWS(std::runtime_error, "enough", read_batch(reads.data(), 150, kAnyTime, stop, backend));
      CHECK_EQUAL(calls, 10u);
      CHECK(reads_right(*stored.direct, 200, 30, backend, static_cast<std::uint64_t>(round)));
    }
  }
}

// More batches inside each other than there are rings.
TEST(batch_read_inside_batch_read) {
  const Stored stored(20);
  for (const ReadBackend backend : kBackends) {
    std::size_t depth = 0;
    const auto nest = [&](auto& self) -> void {
      if (++depth > hopspan::storage::kMaxRings + 8) return;
      Room room(2);
      const Read reads[] = {{stored.direct.get(), 0, room.page(0), kPage},
                            {stored.direct.get(), kPage, room.page(1), kPage}};
      read_batch(
          reads, 2, kAnyTime,
          [&](std::size_t i) {
            if (i == 0) self(self);
          },
          backend);
      CHECK(std::memcmp(room.page(1), page_of(1).data(), kPage) == 0);
    };
    nest(nest);
    CHECK_EQUAL(depth, hopspan::storage::kMaxRings + 9);
    CHECK(reads_right(*stored.direct, 20, 10, backend));
  }
}

TEST(batch_read_from_more_threads_than_rings) {
  const Stored stored(300);
  for (const ReadBackend backend : kBackends) {
    std::vector<std::thread> threads;
    std::vector<char> right(48);
    for (std::size_t t = 0; t < right.size(); ++t) {
      threads.emplace_back([&, t] {
        right[t] = true;
        for (std::uint64_t n = 0; n < 20; ++n) {
          if (!reads_right(*stored.direct, 300, 40, backend, t * 100 + n)) right[t] = false;
        }
      });
    }
    for (std::thread& thread : threads) thread.join();
    CHECK(std::all_of(right.begin(), right.end(), [](char fine) { return fine; }));
  }
}

TEST(direct_file_reads_any_bytes) {
  const Stored stored(20);
  const std::vector<std::byte> all = pages(20);
  std::vector<std::byte> out(all.size());
  for (const auto& [offset, size] : std::vector<std::pair<std::size_t, std::size_t>>{
           {0, 0}, {0, 1}, {1, 4096}, {4095, 2}, {4096, 4096}, {5000, 70000}, {0, 20 * kPage}, {20 * kPage - 1, 1}}) {
    stored.direct->read(offset, out.data(), size);
    CHECK(std::equal(out.begin(), out.begin() + static_cast<std::ptrdiff_t>(size),
                     all.begin() + static_cast<std::ptrdiff_t>(offset)));
  }
  CHECK_THROWS(CorruptIndexError, "past its end", stored.direct->read(20 * kPage - 1, out.data(), 2));
  CHECK_THROWS(CorruptIndexError, "past its end", stored.direct->read(~std::uint64_t{0}, out.data(), 2));
}

TEST(direct_file_that_is_missing_is_named) {
  CHECK_THROWS(IoError, "nowhere", Env::system().open_direct("/nowhere/pages"));
}

TEST(read_backend_has_a_name_that_forces_it) {
  CHECK(select_backend("threads") == ReadBackend::kThreads);
  CHECK(select_backend("") == select_backend(nullptr));
  if (hopspan::storage::io_uring_works()) CHECK(select_backend("io_uring") == ReadBackend::kIoUring);
  CHECK_THROWS(InvalidArgument, "'paper'", select_backend("paper"));
}

#if defined(__linux__)

TEST(read_backend_is_threads_where_the_kernel_refuses) {
  const Stored stored(50);
  for (const int code : {EPERM, ENOSYS}) {
    CHECK(in_child([&] {
      CHECK(refuse_io_uring(code));
      CHECK_THROWS(InvalidArgument, "does not allow", select_backend("io_uring"));
      return select_backend(nullptr) == ReadBackend::kThreads &&
             reads_right(*stored.direct, 50, 100, ReadBackend::kIoUring);
    }));
  }
}

#if !defined(__SANITIZE_THREAD__)  // it cannot start threads in the forked child of a process that had threads

TEST(batch_read_after_fork) {
  const Stored stored(100);
  for (const ReadBackend backend : kBackends) {
    CHECK(reads_right(*stored.direct, 100, 50, backend));
    for (int round = 0; round < 20; ++round) {
      CHECK(in_child([&] { return reads_right(*stored.direct, 100, 50, backend, 7); }));
      CHECK(reads_right(*stored.direct, 100, 50, backend, 8));
    }
  }
}

TEST(batch_read_in_children_forked_while_others_read) {
  const Stored stored(100);
  for (const ReadBackend backend : kBackends) {
    std::atomic<bool> stop{false};
    std::atomic<bool> right{true};
    std::thread other([&] {
      for (std::uint64_t n = 0; !stop; ++n) {
        if (!reads_right(*stored.direct, 100, 50, backend, n)) right = false;
      }
    });
    for (int round = 0; round < 50; ++round) {
      CHECK(in_child([&] { return reads_right(*stored.direct, 100, 50, backend, 7); }));
    }
    stop = true;
    other.join();
    CHECK(right);
  }
}

#endif
#endif
