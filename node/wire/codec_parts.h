#pragma once
// The pieces that several formats share. Internal to wire/. Readers follow Reader's rule: a refusal fails the reader,
// and what they then return must not be used.

#include <optional>

#include "node/wire/codec.h"

namespace zell {

void write_point(Writer& out, const LogPoint& point);
[[nodiscard]] LogPoint read_point(Reader& in);
void write_lock(Writer& out, const Lock& lock);
[[nodiscard]] Lock read_lock(Reader& in);
void write_proposal_header(Writer& out, const ProposalHeader& header);
[[nodiscard]] ProposalHeader read_proposal_header(Reader& in);
void write_vote(Writer& out, const Vote& vote);
[[nodiscard]] Vote read_vote(Reader& in, const DecodeContext& context);
void write_signed_change(Writer& out, const SignedViewChange& change);
[[nodiscard]] SignedViewChange read_signed_change(Reader& in, const DecodeContext& context);

/// Below member_count.
[[nodiscard]] NodeId read_node(Reader& in, const DecodeContext& context);
/// 1 .. `last`, for enumerations.
[[nodiscard]] std::uint8_t read_choice(Reader& in, std::uint8_t last);
/// 0 or 1.
[[nodiscard]] bool read_flag(Reader& in);

void write_hashes(Writer& out, const std::vector<Hash>& hashes);
/// At most max_proof_hashes.
[[nodiscard]] std::vector<Hash> read_hashes(Reader& in);

/// Count, then the requests. Null is written as none.
void write_requests(Writer& out, const Requests* requests);
/// At most `max_requests` of at most `max_bytes` together.
[[nodiscard]] Requests read_requests(Reader& in, const DecodeContext& context, std::size_t max_requests,
                                     std::size_t max_bytes);

/// A proposal's header and its requests: how a batch is written wherever it occurs.
void write_run(Writer& out, const ProposalHeader& header, const RequestsPtr& requests);
struct Run {
  ProposalHeader header;
  RequestsPtr requests;  ///< as many as the header spans, within the cluster's batch limits
};
[[nodiscard]] Run read_run(Reader& in, const DecodeContext& context);
/// True if the header spans exactly `count` requests, at least one, from index 1 up.
[[nodiscard]] bool spans(const ProposalHeader& header, std::size_t count);
/// Sum of the canonical sizes.
[[nodiscard]] std::size_t bytes_of(const Requests& requests);

template <class T, class Write>
void write_optional(Writer& out, const std::optional<T>& value, Write write) {
  out.u8(value ? 1 : 0);
  if (value) write(out, *value);
}
template <class Read>
auto read_optional(Reader& in, Read read) -> std::optional<decltype(read(in))> {
  if (!read_flag(in)) return std::nullopt;
  return read(in);
}
void write_optional_certificate(Writer& out, const std::optional<Certificate>& certificate);
[[nodiscard]] std::optional<Certificate> read_optional_certificate(Reader& in, const DecodeContext& context);

/// Per-member lists are canonical in one way only: by member, each once.
template <class Entry>
void require_ascending(Reader& in, const std::vector<Entry>& entries) {
  for (std::size_t i = 1; i < entries.size(); ++i) {
    if (entries[i - 1].node >= entries[i].node) in.fail("members are not in order, or one is there twice");
  }
}

}  // namespace zell
