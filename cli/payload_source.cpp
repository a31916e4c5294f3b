#include "cli/payload_source.h"

#include "cli/files.h"
#include "cli/line_reader.h"
#include "node/types/request.h"

namespace zell::cli {
namespace {

constexpr std::size_t max_payload_bytes = 1 << 20;  // the most that any genesis allows for a request

Bytes bytes_of(std::string_view text) {
  return {as_bytes(text).begin(), as_bytes(text).end()};
}

using Take = std::function<Status(const std::vector<Payloads>&)>;

Status take_alone(const std::vector<Bytes>& payloads, const Take& take) {
  std::vector<Payloads> requests;
  for (const auto& payload : payloads) {
    requests.push_back({payload});
    if (requests.size() < max_chunk_requests) continue;
    if (auto taken = take(requests); !taken) return taken;
    requests.clear();
  }
  return requests.empty() ? Status(Ok{}) : take(requests);
}

/// Each line becomes a request as soon as nothing more has arrived, and many at once while more does.
Status take_lines(LineReader& reader, const Take& take) {
  while (true) {
    auto lines = reader.read_some(max_chunk_requests, max_chunk_bytes);
    if (!lines) return lines.error();
    if (lines->empty()) return Ok{};
    std::vector<Payloads> requests;
    for (const auto& line : *lines) requests.push_back({bytes_of(line)});
    if (auto taken = take(requests); !taken) return taken;
  }
}

Status take_lines_as_one(LineReader& reader, const Take& take) {
  Payloads all;
  std::size_t bytes = 0;
  while (true) {
    auto lines = reader.read_some(max_chunk_requests, max_chunk_bytes);
    if (!lines) return lines.error();
    if (lines->empty()) break;
    for (const auto& line : *lines) {
      bytes += line.size();
      if (all.size() == max_payloads) {
        return Error{"too-many-payloads", "there are more than " + std::to_string(max_payloads) + " lines",
                     "split them over several bundles"};
      }
      if (bytes > max_payload_bytes) {
        return Error{"request-too-large", "the lines have more than 1 MiB: no cluster takes such a request",
                     "split them over several bundles"};
      }
      all.push_back(bytes_of(line));
    }
  }
  return all.empty() ? Status(Ok{}) : take({all});
}

}  // namespace

void PayloadSource::add_to(Command& command) {
  command.positionals("PAYLOAD", arguments, "Each becomes a request")
      .option("--lines", lines, "FILE", "Each line becomes a request; - is stdin")
      .option("--file", file, "FILE", "The whole file is one payload; - is stdin")
      .flag("--bundle", bundle, "All payloads are one request, with one index");
}

Status PayloadSource::check(const std::string& verb) const {
  const int sources = (arguments.empty() ? 0 : 1) + (lines.empty() ? 0 : 1) + (file.empty() ? 0 : 1);
  if (sources == 1) return Ok{};
  return Error{"usage",
               sources == 0 ? "what to " + verb + "? Give payloads, --lines or --file"
                            : "give payloads, --lines or --file, not two of them",
               "zell " + verb + " hello"};
}

Status for_each_chunk(const PayloadSource& source, const Take& take) {
  if (!source.lines.empty()) {
    auto fd = open_input(source.lines);
    if (!fd) return fd.error();
    LineReader reader(fd->get(), max_payload_bytes);
    return source.bundle ? take_lines_as_one(reader, take) : take_lines(reader, take);
  }
  std::vector<Bytes> payloads;
  for (const auto& argument : source.arguments) payloads.push_back(bytes_of(argument));
  if (!source.file.empty()) {
    auto content =
        read_input(source.file, max_payload_bytes,
                   {"request-too-large", source.file + " has more than 1 MiB: no cluster takes such a request",
                    "--lines makes a request of each line"});
    if (!content) return content.error();
    payloads.push_back(bytes_of(*content));
  }
  return source.bundle ? take({payloads}) : take_alone(payloads, take);
}

}  // namespace zell::cli
