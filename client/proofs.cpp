#include "client/proofs.h"

#include <algorithm>

#include "node/wire/request_codec.h"

namespace zell {

namespace {

std::string at(Index index) {
  return "#" + std::to_string(index.value);
}

Status check_final(const Certificate& certificate, const Verifier& verifier) {
  if (certificate.phase != Phase::final) return Error{"certificate", "the certificate is not one of finality", ""};
  auto checked = verifier.check_certificate(certificate);
  if (!checked) return Error{"certificate", checked.error().what, ""};
  return Ok{};
}

/// That the body is what the header names, which is all that the log's root covers.
Status check_request(const RequestPtr& request, Index index, const Verifier& verifier, bool check_signature) {
  auto form = check_request_form(*request, verifier.genesis().parameters);
  if (!form) return Error{"payloads", "request " + at(index) + ": " + form.error().what, ""};
  if (!check_signature) return Ok{};
  auto checked = verifier.check(request);
  if (!checked) return Error{"signature", "request " + at(index) + ": " + checked.error().what, ""};
  return Ok{};
}

/// Adds what `batch` has beyond `range`.
Status append_batch(const Batch& batch, CompactRange& range, LogEntries& out, const Verifier& verifier,
                    bool check_signatures) {
  auto index = batch.header.first;
  for (const auto& request : *batch.requests) {
    if (index.value > range.size()) {
      if (auto checked = check_request(request, index, verifier, check_signatures); !checked) return checked;
      range.append(request->leaf);
      out.requests.push_back(request);
    }
    index = index.next();
  }
  return Ok{};
}

/// From first to end without a gap, each batch as long as its header says, ending at the certificate.
Status check_shape(const Chunk& chunk, const CompactRange& range) {
  auto end = chunk.from;
  for (const auto& batch : chunk.batches) {
    const auto& header = batch->header;
    bool fits = header.first == end.next() && header.end.index.value == end.value + batch->requests->size();
    if (!fits || batch->requests->empty()) {
      return Error{"batches", "a batch does not follow " + at(end) + " as its header says", ""};
    }
    end = header.end.index;
  }
  if (chunk.from.value > range.size()) {
    return Error{"from", "the page begins above " + at(Index{range.size() + 1}), ""};
  }
  if (!chunk.fc || chunk.fc->point.index != end) {
    return Error{"certificate", "the page does not end at its certificate", ""};
  }
  if (end.value <= range.size()) return Error{"batches", "the page brings nothing new", ""};
  return Ok{};
}

}  // namespace

Result<LogEntries> check_chunk(const Chunk& chunk, CompactRange& range, const Verifier& verifier,
                               bool check_signatures) {
  LogEntries out;
  out.first = {range.size() + 1};
  out.before = range;
  if (chunk.batches.empty()) return out;
  if (auto checked = check_shape(chunk, range); !checked) return checked.error();
  if (auto checked = check_final(*chunk.fc, verifier); !checked) return checked.error();
  auto grown = range;
  for (const auto& batch : chunk.batches) {
    if (auto checked = append_batch(*batch, grown, out, verifier, check_signatures); !checked) return checked.error();
    if (grown.size() == batch->header.end.index.value && grown.root() != batch->header.end.root) {
      return Error{"root", "the log's root at " + at(batch->header.end.index) + " is another", ""};
    }
  }
  if (grown.root() != chunk.fc->point.root) {
    return Error{"root", "the requests up to " + at(chunk.fc->point.index) + " are not those of the certificate", ""};
  }
  range = std::move(grown);
  out.certificate = std::make_shared<Certificate>(*chunk.fc);
  return out;
}

Result<ProvenRequest> check_inclusion(InclusionClaim claim, const Verifier& verifier, bool check_signatures) {
  if (auto checked = check_final(claim.certificate, verifier); !checked) return checked.error();
  auto checked = check_request(claim.request, claim.index, verifier, check_signatures);
  if (!checked) return checked.error();
  const auto& point = claim.certificate.point;
  if (claim.index.value == 0 || claim.index > point.index) {
    return Error{"index", at(claim.index) + " is not covered by the certificate at " + at(point.index), ""};
  }
  auto position = claim.index.value - 1;
  if (!verify_inclusion(claim.request->leaf, position, point.index.value, claim.path, point.root)) {
    return Error{"path", "the proof does not lead from request " + at(claim.index) + " to the certified root", ""};
  }
  auto before = range_before(position, point.index.value, claim.path);
  return ProvenRequest{std::move(claim.request), claim.index,
                       std::make_shared<Certificate>(std::move(claim.certificate)), std::move(before),
                       std::move(claim.path)};
}

CompactRange range_before(std::uint64_t index, std::uint64_t size, std::span<const Hash> path) {
  // As RFC 9162, 2.1.3.2, walks up: smallest trees first.
  std::vector<Hash> peaks;
  auto place = index, last = size - 1;
  for (const auto& hash : path) {
    if ((place & 1) != 0 || place == last) {
      peaks.push_back(hash);
      while ((place & 1) == 0 && place != 0) {
        place >>= 1;
        last >>= 1;
      }
    }
    place >>= 1;
    last >>= 1;
  }
  std::reverse(peaks.begin(), peaks.end());
  ZELL_CHECK(CompactRange::valid(index, peaks.size()));
  return CompactRange(index, std::move(peaks));
}

}  // namespace zell
