//===- AtomicOutputTest.cpp - Tests of whole files --------------*- C++ -*-===//
//
// Part of the MTA compiler, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "mta/Target/AtomicOutput.h"

#include "llvm/ADT/SmallString.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/Path.h"
#include "llvm/Support/raw_ostream.h"
#include "gtest/gtest.h"

using namespace llvm;

namespace {
/// An empty folder for every test.
class AtomicOutput : public testing::Test {
protected:
  void SetUp() override {
    ASSERT_FALSE(sys::fs::createUniqueDirectory("mta-output", folder));
  }
  void TearDown() override { sys::fs::remove_directories(folder); }

  std::string path(StringRef name) {
    SmallString<128> result(folder);
    sys::path::append(result, name);
    return std::string(result);
  }

  static std::string read(const std::string &path) {
    auto buffer = MemoryBuffer::getFile(path);
    return buffer ? (*buffer)->getBuffer().str() : "no file";
  }

  static void write(const std::string &path, StringRef text) {
    std::error_code code;
    raw_fd_ostream(path, code) << text;
    ASSERT_FALSE(code);
  }

  size_t countFiles() {
    std::error_code code;
    size_t count = 0;
    for (sys::fs::directory_iterator it(folder, code), end; it != end && !code;
         it.increment(code))
      ++count;
    return count;
  }

  /// A tool that writes "after" to the value of its last argument.
  static int runTool(int argc, char **argv) {
    write(argv[argc - 1], "after");
    return 0;
  }

  int run(std::vector<std::string> arguments,
          function_ref<int(int, char **)> tool) {
    std::vector<char *> argv;
    for (std::string &argument : arguments)
      argv.push_back(argument.data());
    return mta::runWithAtomicOutput(argv.size(), argv.data(), tool);
  }

  SmallString<128> folder;
};
} // namespace

TEST_F(AtomicOutput, WritesANewFile) {
  std::string error, contents("some\0bytes\n", 11);
  EXPECT_TRUE(mta::writeFileAtomically(path("a"), contents, error).succeeded());
  EXPECT_EQ(read(path("a")), contents);
  EXPECT_EQ(countFiles(), 1u);
  EXPECT_EQ(error, "");
}

TEST_F(AtomicOutput, ReplacesAFile) {
  write(path("a"), "a longer text than the new one");
  std::string error;
  EXPECT_TRUE(mta::writeFileAtomically(path("a"), "new", error).succeeded());
  EXPECT_EQ(read(path("a")), "new");
  EXPECT_EQ(countFiles(), 1u);
}

TEST_F(AtomicOutput, FailsWithoutAFolder) {
  std::string error;
  EXPECT_TRUE(mta::writeFileAtomically(path("none/a"), "new", error).failed());
  EXPECT_EQ(error,
            "cannot write '" + path("none/a") + "': No such file or directory");
  EXPECT_EQ(countFiles(), 0u);
}

TEST_F(AtomicOutput, FailsOnAFolder) {
  ASSERT_FALSE(sys::fs::create_directory(path("folder")));
  std::string error;
  EXPECT_TRUE(mta::writeFileAtomically(path("folder"), "new", error).failed());
  EXPECT_NE(error.find("cannot write '" + path("folder")), std::string::npos);
  EXPECT_TRUE(sys::fs::is_directory(path("folder")));
  EXPECT_EQ(countFiles(), 1u);
}

TEST_F(AtomicOutput, ToolSucceeds) {
  write(path("a"), "before");
  EXPECT_EQ(run({"tool", "-o", path("a")}, runTool), 0);
  EXPECT_EQ(read(path("a")), "after");
  EXPECT_EQ(countFiles(), 1u);
}

TEST_F(AtomicOutput, ToolFails) {
  write(path("a"), "before");
  EXPECT_EQ(run({"tool", "--o", path("a")},
                [](int argc, char **argv) {
                  runTool(argc, argv);
                  return 3;
                }),
            3);
  EXPECT_EQ(read(path("a")), "before");
  EXPECT_EQ(countFiles(), 1u);
}

TEST_F(AtomicOutput, ToolWritesNothing) {
  write(path("a"), "before");
  // As a tool does whose output stream is never kept.
  EXPECT_EQ(run({"tool", "-o=" + path("a")},
                [](int argc, char **argv) {
                  StringRef option = argv[1];
                  EXPECT_TRUE(option.consume_front("-o="));
                  sys::fs::remove(option);
                  return 0;
                }),
            0);
  EXPECT_EQ(read(path("a")), "before");
  EXPECT_EQ(countFiles(), 1u);
}

/// The command line of the tool is the caller's with another file.
TEST_F(AtomicOutput, ToolSeesATemporaryFile) {
  run({"tool", "in", "-o", path("a"), "--flag"}, [&](int argc, char **argv) {
    EXPECT_EQ(argc, 5);
    EXPECT_STREQ(argv[1], "in");
    EXPECT_STREQ(argv[2], "-o");
    EXPECT_NE(argv[3], path("a"));
    EXPECT_TRUE(StringRef(argv[3]).starts_with(path("a")));
    EXPECT_STREQ(argv[4], "--flag");
    EXPECT_EQ(argv[5], nullptr);
    return 1;
  });
  EXPECT_EQ(countFiles(), 0u);
}

TEST_F(AtomicOutput, OutputsThatAreNoFilesStay) {
  for (const char *output : {"-", "/dev/null", ""})
    run({"tool", "-o", output}, [&](int, char **argv) {
      EXPECT_STREQ(argv[2], output);
      return 0;
    });
  run({"tool", "-o"}, [](int argc, char **) {
    EXPECT_EQ(argc, 2);
    return 0;
  });
  EXPECT_EQ(countFiles(), 0u);
}

TEST_F(AtomicOutput, ToolIsNotRunWithoutAFolder) {
  EXPECT_EQ(run({"tool", "-o", path("none/a")},
                [](int, char **) {
                  ADD_FAILURE() << "the output cannot be written";
                  return 0;
                }),
            1);
}

/// Command line parsers end the program.
TEST_F(AtomicOutput, ToolExits) {
  write(path("a"), "before");
  EXPECT_EXIT(
      run({"tool", "-o", path("a")}, [](int, char **) -> int { std::exit(4); }),
      testing::ExitedWithCode(4), "");
  EXPECT_EQ(read(path("a")), "before");
  EXPECT_EQ(countFiles(), 1u);
}
