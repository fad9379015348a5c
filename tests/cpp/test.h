// The C++ test framework, whole: TEST(name) { CHECK(...); } and a main that lists or runs cases by name.
#pragma once

#include <cstdio>
#include <cstring>
#include <functional>
#include <sstream>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace hopspan::test {

struct Failure : std::runtime_error {
  using std::runtime_error::runtime_error;
};

using Case = std::pair<std::string, std::function<void()>>;

inline std::vector<Case>& cases() {
  static std::vector<Case> all;
  return all;
}

struct Register {
  Register(const char* name, std::function<void()> body) { cases().emplace_back(name, std::move(body)); }
};

[[noreturn]] inline void fail(const char* file, int line, const std::string& what) {
  throw Failure(std::string(file) + ":" + std::to_string(line) + ": " + what);
}

template <typename A, typename B>
void check_equal(const char* file, int line, const char* text, const A& a, const B& b) {
  if (a == b) return;
  std::ostringstream out;
  out << text << ": " << a << " is not " << b;
  fail(file, line, out.str());
}

// Runs `call`, which must throw E with `part` in its message.
template <typename E, typename F>
void check_throws(const char* file, int line, F&& call, const std::string& part) {
  try {
    call();
  } catch (const E& error) {
    if (std::string(error.what()).find(part) != std::string::npos) return;
    fail(file, line, "the message lacks '" + part + "': " + error.what());
  }
  fail(file, line, "nothing was thrown; expected '" + part + "'");
}

// Arguments: none runs every case; --list prints the names; names run those cases.
inline int main(int argc, char** argv) {
  if (argc == 2 && std::strcmp(argv[1], "--list") == 0) {
    for (const Case& c : cases()) std::printf("%s\n", c.first.c_str());
    return 0;
  }
  int ran = 0;
  int failed = 0;
  for (const Case& c : cases()) {
    bool wanted = argc == 1;
    for (int i = 1; i < argc; ++i) wanted = wanted || c.first == argv[i];
    if (!wanted) continue;
    ++ran;
    try {
      c.second();
    } catch (const std::exception& error) {
      ++failed;
      std::printf("FAIL %s: %s\n", c.first.c_str(), error.what());
    }
  }
  std::printf("%d passed, %d failed\n", ran - failed, failed);
  return failed == 0 && ran > 0 ? 0 : 1;
}

}  // namespace hopspan::test

#define TEST(name)                                                            \
  static void test_##name();                                                  \
  static const ::hopspan::test::Register register_##name(#name, test_##name); \
  static void test_##name()

#define CHECK(condition)                                                     \
  do {                                                                       \
    if (!(condition)) ::hopspan::test::fail(__FILE__, __LINE__, #condition); \
  } while (false)
#define CHECK_EQUAL(a, b) ::hopspan::test::check_equal(__FILE__, __LINE__, #a " == " #b, a, b)
#define CHECK_THROWS(E, part, ...) ::hopspan::test::check_throws<E>(__FILE__, __LINE__, [&] { __VA_ARGS__; }, part)
