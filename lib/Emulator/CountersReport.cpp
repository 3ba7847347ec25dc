//===- CountersReport.cpp - Counters as JSON and as a table ---------------===//
//
// Part of the MTA compiler, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "JsonWriter.h"
#include "mta/Emulator/Counters.h"
#include <algorithm>
#include <cstdio>

namespace mta::emulator {

namespace {
void writeCount(JsonWriter &json, const Count &count) {
  json.field("warp_instructions", count.warps);
  json.field("lane_instructions", count.lanes);
  json.field("matrix_operations", count.matrixOps);
  json.field("multiply_adds", count.multiplyAdds);
  json.field("global_requests", count.globalRequests);
  json.field("global_sectors_read", count.sectorsRead);
  json.field("global_sectors_written", count.sectorsWritten);
  json.field("global_bytes_read", count.bytesRead);
  json.field("global_bytes_written", count.bytesWritten);
  json.field("shared_wavefronts", count.sharedWavefronts);
  json.field("shared_ideal_wavefronts", count.sharedIdealWavefronts);
  json.field("shared_bank_conflicts",
             count.sharedWavefronts - count.sharedIdealWavefronts);
  json.field("shared_bytes", count.sharedBytes);
  json.field("async_copy_bytes", count.asyncBytes);
  json.field("bulk_bytes_read", count.bulkBytesRead);
  json.field("bulk_bytes_written", count.bulkBytesWritten);
  json.field("mbarrier_operations", count.mbarrierOps);
  json.field("divergent_branches", count.divergentBranches);
}

void writeLines(JsonWriter &json, const char *key,
                const std::vector<LineCount> &lines) {
  json.beginArray(key);
  for (const LineCount &line : lines) {
    json.beginObject();
    json.field("file", line.file);
    json.field("line", uint64_t(line.line));
    if (!line.text.empty())
      json.field("text", line.text);
    writeCount(json, line.count);
    json.endObject();
  }
  json.endArray();
}

void writeMap(JsonWriter &json, const char *key,
              const std::map<std::string, Count> &counts) {
  json.beginObject(key);
  for (const auto &[name, count] : counts) {
    json.beginObject(name.c_str());
    json.field("warp_instructions", count.warps);
    json.field("lane_instructions", count.lanes);
    if (count.matrixOps) {
      json.field("matrix_operations", count.matrixOps);
      json.field("multiply_adds", count.multiplyAdds);
    }
    json.endObject();
  }
  json.endObject();
}

/// Adds "name  value" to a table.
void row(std::string &text, const char *name, uint64_t value,
         const std::string &note = "") {
  char buffer[128];
  std::snprintf(buffer, sizeof buffer, "  %-28s %16llu  ", name,
                static_cast<unsigned long long>(value));
  text += buffer + note;
  text.erase(text.find_last_not_of(' ') + 1);
  text += '\n';
}

std::string percent(uint64_t part, uint64_t whole) {
  char buffer[32];
  std::snprintf(buffer, sizeof buffer, "%.1f %%",
                whole ? 100.0 * double(part) / double(whole) : 0.0);
  return buffer;
}

void addLines(std::string &text, const std::vector<LineCount> &lines,
              const char *title, unsigned limit) {
  std::vector<const LineCount *> order;
  for (const LineCount &line : lines)
    order.push_back(&line);
  std::sort(order.begin(), order.end(),
            [](const LineCount *a, const LineCount *b) {
              return a->count.warps != b->count.warps
                         ? a->count.warps > b->count.warps
                         : a < b; // the order of the lines
            });
  if (order.size() > limit)
    order.resize(limit);
  if (!order.empty())
    text += std::string(title) + ":\n";
  for (const LineCount *line : order) {
    char buffer[64];
    std::snprintf(buffer, sizeof buffer, "  %14llu  ",
                  static_cast<unsigned long long>(line->count.warps));
    text += buffer + line->file + ":" + std::to_string(line->line) + "  " +
            line->text + "\n";
  }
}
} // namespace

std::string Counters::json() const {
  JsonWriter json;
  json.beginObject();
  json.field("kernel", kernel);
  json.field("blocks", blocks);
  json.field("threads", threads);
  json.field("shared_bytes_per_block", uint64_t(sharedBytes));
  json.field("local_bytes_per_thread", uint64_t(localBytes));
  json.field("barriers", barriers);
  json.field("unique_bytes_read", uniqueBytesRead);
  json.field("unique_bytes_written", uniqueBytesWritten);
  json.beginObject("total");
  writeCount(json, total);
  json.endObject();
  writeMap(json, "classes", classes);
  writeMap(json, "opcodes", opcodes);
  writeLines(json, "ptx_lines", ptxLines);
  writeLines(json, "source_lines", sourceLines);
  json.endObject();
  return json.text() + "\n";
}

std::string Counters::table(unsigned lines) const {
  std::string text = "kernel " + kernel + "\n";
  row(text, "blocks", blocks);
  row(text, "threads", threads);
  row(text, "warp instructions", total.warps);
  row(text, "lane instructions", total.lanes,
      percent(total.lanes, total.warps * 32) + " of lanes active");
  for (const auto &[name, count] : classes)
    row(text, ("  " + name).c_str(), count.warps,
        percent(count.warps, total.warps));
  row(text, "matrix operations", total.matrixOps);
  row(text, "multiply-adds in them", total.multiplyAdds);
  row(text, "global bytes read", total.bytesRead,
      "unique " + std::to_string(uniqueBytesRead));
  row(text, "global sectors read", total.sectorsRead,
      percent(total.bytesRead, total.sectorsRead * 32) +
          " of their bytes used");
  row(text, "global bytes written", total.bytesWritten,
      "unique " + std::to_string(uniqueBytesWritten));
  row(text, "global sectors written", total.sectorsWritten,
      percent(total.bytesWritten, total.sectorsWritten * 32) +
          " of their bytes used");
  row(text, "asynchronous copy bytes", total.asyncBytes);
  if (total.bulkBytesRead || total.bulkBytesWritten) {
    row(text, "bulk copy bytes read", total.bulkBytesRead);
    row(text, "bulk copy bytes written", total.bulkBytesWritten);
  }
  if (total.mbarrierOps)
    row(text, "mbarrier operations", total.mbarrierOps);
  row(text, "shared wavefronts", total.sharedWavefronts);
  row(text, "  of these bank conflicts",
      total.sharedWavefronts - total.sharedIdealWavefronts,
      percent(total.sharedWavefronts - total.sharedIdealWavefronts,
              total.sharedWavefronts));
  row(text, "barriers", barriers);
  row(text, "divergent branches", total.divergentBranches);
  addLines(text, sourceLines, "source lines by warp instructions", lines);
  addLines(text, ptxLines, "PTX lines by warp instructions", lines);
  return text;
}

} // namespace mta::emulator
