//===- Arguments.h - Arguments of a kernel ----------------------*- C++ -*-===//
//
// Part of the MTA compiler, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef MTA_TOOLS_MTAPTXRUN_ARGUMENTS_H
#define MTA_TOOLS_MTAPTXRUN_ARGUMENTS_H

#include "Npy.h"
#include "mta/Emulator/Launch.h"

namespace mta::ptxrun {

/// The buffers of a launch, with unregistered memory around each, so that
/// running off one is never in another.
class Arguments {
public:
  /// Reads the buffers that `specs` names and lays the parameters of `entry`
  /// out. Returns "" or what is wrong.
  std::string prepare(const emulator::EntryInfo &entry,
                      const std::vector<std::string> &specs);

  /// The parameter block for LaunchConfig.
  const std::vector<uint8_t> &parameters() const { return block; }
  emulator::MemorySpace &memory() { return space; }

  /// Outputs with elements that nothing wrote: "" or what is wrong.
  std::string checkOutputs() const;
  /// Writes the outputs; "" or why it failed.
  std::string write() const;

private:
  struct Buffer {
    std::string argument; // for messages
    std::string target;   // file to write; "" for inputs
    std::string descr;
    /// The emulator's name of the elements' type, such as bf16.
    std::string type;
    size_t index = 0;
    unsigned elementBytes = 0;
    std::vector<uint64_t> shape;
    size_t bytes = 0;
    bool isOutput = false;
    std::unique_ptr<uint8_t[]> storage;
    uint8_t *data = nullptr;
  };

  std::string add(const emulator::ParameterInfo &parameter,
                  const std::string &spec, size_t index);
  std::string addBuffer(const std::string &spec, size_t index,
                        uint64_t &address);
  /// A tensor map of a buffer, see TensorArguments.cpp.
  std::string addMap(const emulator::ParameterInfo &parameter,
                     const std::string &spec, size_t index);
  std::string addOutput(Buffer &buffer, const std::string &rest);
  std::string store(const emulator::ParameterInfo &parameter,
                    const std::string &spec, const void *value, size_t bytes);

  std::vector<Buffer> buffers;
  std::vector<uint8_t> block;
  emulator::MemorySpace space;
};

} // namespace mta::ptxrun

#endif // MTA_TOOLS_MTAPTXRUN_ARGUMENTS_H
