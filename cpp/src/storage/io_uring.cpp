// Raw system calls: three of them and two mapped queues are all there is to it.
#include "storage/io_uring.h"

#if defined(__linux__) && __has_include(<linux/io_uring.h>)

#include <linux/io_uring.h>
#include <pthread.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <exception>
#include <memory>
#include <new>

namespace hopspan::storage {
namespace {

constexpr unsigned kEntries = 64;  // reads under way at a time
constexpr std::size_t kLargestRead = std::size_t{1} << 30;

using Clock = std::chrono::steady_clock;

int setup(unsigned entries, io_uring_params* params) {
  return static_cast<int>(::syscall(__NR_io_uring_setup, entries, params));
}

int enter(int fd, unsigned submit, unsigned wait) {
  return static_cast<int>(
      ::syscall(__NR_io_uring_enter, fd, submit, wait, wait != 0 ? IORING_ENTER_GETEVENTS : 0u, nullptr, 0));
}

// A piece of memory shared with the kernel. A forked child does not get it: the queues stay its parent's.
class Mapping {
 public:
  Mapping() = default;
  Mapping(int fd, std::size_t size, std::uint64_t offset) : size_(size) {
    void* map =
        ::mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, fd, static_cast<off_t>(offset));
    if (map == MAP_FAILED) return;
    ::madvise(map, size, MADV_DONTFORK);
    data_ = static_cast<std::byte*>(map);
  }
  Mapping(const Mapping&) = delete;
  Mapping& operator=(const Mapping&) = delete;
  ~Mapping() {
    if (data_ != nullptr) ::munmap(data_, size_);
  }

  explicit operator bool() const noexcept { return data_ != nullptr; }
  template <typename T>
  T* at(std::size_t offset) const noexcept {
    return reinterpret_cast<T*>(data_ + offset);
  }

 private:
  std::byte* data_ = nullptr;
  std::size_t size_ = 0;
};

// One pair of queues, used by one thread at a time.
class Ring {
 public:
  // Null when the system refuses.
  static std::unique_ptr<Ring> make() {
    io_uring_params params = {};
    const int fd = setup(kEntries, &params);
    if (fd < 0) return nullptr;
    std::unique_ptr<Ring> ring(new (std::nothrow) Ring(fd, params));
    if (ring == nullptr) ::close(fd);
    return ring != nullptr && ring->usable() ? std::move(ring) : nullptr;
  }
  ~Ring() { ::close(fd_); }

  int fd() const noexcept { return fd_; }

  bool knows_reads() const {
    constexpr unsigned kOperations = IORING_OP_READ + 1;
    alignas(io_uring_probe) std::byte room[sizeof(io_uring_probe) + kOperations * sizeof(io_uring_probe_op)] = {};
    if (::syscall(__NR_io_uring_register, fd_, IORING_REGISTER_PROBE, room, kOperations) != 0) return false;
    io_uring_probe_op read;
    std::memcpy(&read, room + sizeof(io_uring_probe) + IORING_OP_READ * sizeof read, sizeof read);
    return read.op == IORING_OP_READ && (read.flags & IO_URING_OP_SUPPORTED) != 0;
  }

  // There is room: at most kEntries are under way.
  void push(const Read& read, std::size_t tag) {
    const unsigned tail = *sq_tail_;
    const unsigned slot = tail & sq_mask_;
    io_uring_sqe& entry = sqes_.at<io_uring_sqe>(0)[slot];
    std::memset(&entry, 0, sizeof entry);
    entry.opcode = IORING_OP_READ;
    entry.fd = read.file->descriptor();
    entry.off = read.offset;
    entry.addr = reinterpret_cast<std::uintptr_t>(read.out);
    entry.len = static_cast<unsigned>(std::min(read.size, kLargestRead));
    entry.user_data = tag;
    sq_array_[slot] = slot;
    __atomic_store_n(sq_tail_, tail + 1, __ATOMIC_RELEASE);
  }

  // Hands over what was pushed and waits for at least `wait` that end. Throws IoError when the kernel takes nothing.
  void submit(unsigned wait) {
    if (enter(fd_, pending(), wait) >= 0 || errno == EINTR || errno == EAGAIN || errno == EBUSY) return;
    throw IoError(errno, "io_uring", "read by");
  }

  // Takes back what the kernel has not seen yet, and returns how many.
  unsigned withdraw() {
    const unsigned count = pending();
    __atomic_store_n(sq_tail_, *sq_tail_ - count, __ATOMIC_RELEASE);
    return count;
  }

  bool pop(std::size_t& tag, std::int64_t& result) {
    const unsigned head = *cq_head_;
    if (head == __atomic_load_n(cq_tail_, __ATOMIC_ACQUIRE)) return false;
    const io_uring_cqe& entry = cqes_[head & cq_mask_];
    tag = entry.user_data;
    result = entry.res;
    __atomic_store_n(cq_head_, head + 1, __ATOMIC_RELEASE);
    return true;
  }

 private:
  Ring(int fd, const io_uring_params& p)
      : fd_(fd),
        sq_(fd, p.sq_off.array + p.sq_entries * sizeof(unsigned), IORING_OFF_SQ_RING),
        cq_(fd, p.cq_off.cqes + p.cq_entries * sizeof(io_uring_cqe), IORING_OFF_CQ_RING),
        sqes_(fd, p.sq_entries * sizeof(io_uring_sqe), IORING_OFF_SQES) {
    if (!usable()) return;
    sq_head_ = sq_.at<unsigned>(p.sq_off.head);
    sq_tail_ = sq_.at<unsigned>(p.sq_off.tail);
    sq_mask_ = *sq_.at<unsigned>(p.sq_off.ring_mask);
    sq_array_ = sq_.at<unsigned>(p.sq_off.array);
    cq_head_ = cq_.at<unsigned>(p.cq_off.head);
    cq_tail_ = cq_.at<unsigned>(p.cq_off.tail);
    cq_mask_ = *cq_.at<unsigned>(p.cq_off.ring_mask);
    cqes_ = cq_.at<io_uring_cqe>(p.cq_off.cqes);
  }

  bool usable() const noexcept { return sq_ && cq_ && sqes_; }

  unsigned pending() const noexcept { return *sq_tail_ - __atomic_load_n(sq_head_, __ATOMIC_ACQUIRE); }

  int fd_;
  Mapping sq_;
  Mapping cq_;
  Mapping sqes_;
  const unsigned* sq_head_ = nullptr;
  unsigned* sq_tail_ = nullptr;
  unsigned sq_mask_ = 0;
  unsigned* sq_array_ = nullptr;
  unsigned* cq_head_ = nullptr;
  unsigned* cq_tail_ = nullptr;
  unsigned cq_mask_ = 0;
  const io_uring_cqe* cqes_ = nullptr;
};

// A place is free, or taken by one batch. Nothing here is ever destroyed, and a forked child starts over.
class RingSet {
 public:
  // Holds a place, and a ring in it unless there is none to be had.
  class Lease {
   public:
    explicit Lease(RingSet& set) : set_(set) {
      while (place_ < kMaxRings && set.taken_[place_].exchange(true, std::memory_order_acquire)) ++place_;
      if (place_ < kMaxRings && set.rings_[place_] == nullptr) set.rings_[place_] = Ring::make().release();
    }
    ~Lease() {
      if (place_ < kMaxRings) set_.taken_[place_].store(false, std::memory_order_release);
    }
    Lease(const Lease&) = delete;
    Lease& operator=(const Lease&) = delete;
    Ring* ring() const noexcept { return place_ < kMaxRings ? set_.rings_[place_] : nullptr; }

   private:
    RingSet& set_;
    std::size_t place_ = 0;
  };

  // The parent's rings: their memory is not mapped here and their descriptors are of no use.
  void forget() noexcept {
    for (std::size_t place = 0; place < kMaxRings; ++place) {
      if (rings_[place] != nullptr) ::close(rings_[place]->fd());
      rings_[place] = nullptr;
      taken_[place].store(false, std::memory_order_relaxed);
    }
  }

 private:
  Ring* rings_[kMaxRings] = {};
  std::atomic<bool> taken_[kMaxRings] = {};
};

RingSet ring_set;

const bool fork_handled = [] { return pthread_atfork(nullptr, nullptr, [] { ring_set.forget(); }) == 0; }();

// One batch on one ring.
class Batch {
 public:
  Batch(Ring& ring, const Read* reads, std::size_t count, StartRead start, ReadDone done)
      : ring_(ring), reads_(reads), count_(count), start_(start), done_(done) {}

  std::uint64_t run() {
    while (next_ < count_ || under_way_ != 0) {
      while (next_ < count_ && under_way_ < kEntries && start_(next_)) {
        ring_.push(reads_[next_], next_);
        ++next_;
        ++under_way_;
      }
      wait();
      finish_ended();
    }
    if (error_) std::rethrow_exception(error_);
    return waited_;
  }

 private:
  void wait() {
    const Clock::time_point start = Clock::now();
    attempt([&] { ring_.submit(1); });
    if (error_) under_way_ -= ring_.withdraw();
    waited_ += static_cast<std::uint64_t>(std::chrono::nanoseconds(Clock::now() - start).count());
  }

  void finish_ended() {
    std::size_t i;
    std::int64_t result;
    while (ring_.pop(i, result)) {
      --under_way_;
      if (!error_) attempt([&] { finish(i, result); });
    }
  }

  // Whatever was not read at once is read again one by one, which also finds the right words for an error.
  void finish(std::size_t i, std::int64_t result) {
    const Read& read = reads_[i];
    const std::size_t got = result < 0 ? 0 : static_cast<std::size_t>(result);
    if (got < read.size) read.file->read(read.offset + got, static_cast<std::byte*>(read.out) + got, read.size - got);
    done_(i);
  }

  template <typename Action>
  void attempt(Action action) noexcept {
    try {
      action();
    } catch (...) {
      if (!error_) error_ = std::current_exception();
      next_ = count_;
    }
  }

  Ring& ring_;
  const Read* reads_;
  std::size_t count_;
  StartRead start_;
  ReadDone done_;
  std::size_t next_ = 0;
  std::size_t under_way_ = 0;
  std::uint64_t waited_ = 0;
  std::exception_ptr error_;
};

}  // namespace

bool io_uring_works() {
  const std::unique_ptr<Ring> ring = Ring::make();
  return ring != nullptr && ring->knows_reads();
}

std::optional<std::uint64_t> read_by_io_uring(const Read* reads, std::size_t count, StartRead start, ReadDone done) {
  const RingSet::Lease lease(ring_set);
  if (lease.ring() == nullptr) return std::nullopt;
  return Batch(*lease.ring(), reads, count, start, done).run();
}

}  // namespace hopspan::storage

#else

namespace hopspan::storage {

bool io_uring_works() { return false; }

std::optional<std::uint64_t> read_by_io_uring(const Read*, std::size_t, StartRead, ReadDone) { return std::nullopt; }

}  // namespace hopspan::storage

#endif
