// What a node answers, as a client reads it: the first byte says what was asked. Nothing that a node says can end the
// client; what is read of a proof can be checked.

#include "client/answers.h"
#include "client/proofs.h"
#include "node/wire/request_codec.h"
#include "tests/fuzz/stand_in.h"

namespace {

using namespace zell;

void read_inclusion(std::string_view body) {
  auto claim = read_inclusion_answer(body, testing::stand_in_verifier().domain());
  if (!claim) return;
  ZELL_CHECK(claim->request != nullptr);
  const auto index = claim->index;
  const auto proven = check_inclusion(std::move(*claim), testing::stand_in_verifier(), true);
  if (proven) ZELL_CHECK(proven->index == index && proven->certificate->phase == Phase::final);
}

void read_consistency(std::string_view body) {
  const auto claim = read_consistency_answer(body);
  if (!claim) return;
  (void)verify_consistency(claim->first.index.value, claim->first.root, claim->second.index.value, claim->second.root,
                           claim->path);
}

void read_certificate(std::string_view body) {
  const auto certificate = read_certificate_answer(body);
  if (certificate && *certificate) (void)testing::stand_in_verifier().check_certificate(**certificate);
}

void read_chunk(std::string_view body) {
  auto message = decode_message(as_bytes(body), testing::fuzz_context());
  const auto* chunk = message ? std::get_if<Chunk>(&*message) : nullptr;
  if (!chunk) return;
  CompactRange range;
  const auto entries = check_chunk(*chunk, range, testing::stand_in_verifier(), true);
  if (entries) ZELL_CHECK(range.size() == entries->requests.size());
}

/// What is built from a request's parts is a request, and the same one.
void read_pending(std::string_view body) {
  const auto& verifier = testing::stand_in_verifier();
  const auto entries = read_pending_answer(body, verifier.domain());
  if (!entries) return;
  for (const auto& entry : *entries) {
    ZELL_CHECK(entry.request != nullptr);
    const auto& request = *entry.request;
    Reader in(request.canonical);
    const auto again = read_request(in, verifier.domain(), UINT32_MAX);
    ZELL_CHECK(again != nullptr && in.at_end());
    ZELL_CHECK(again->id == request.id && again->leaf == request.leaf && check_request_body(*again).ok());
    (void)verifier.check(entry.request);
  }
}

void read_evidence(std::string_view body) {
  const auto& verifier = testing::stand_in_verifier();
  const auto& genesis = verifier.genesis();
  const auto answer = read_evidence_answer(body, {verifier.domain(), genesis.parameters, genesis.size()});
  if (!answer) return;
  for (const auto& one : answer->evidence) {
    ZELL_CHECK(one != nullptr);
    const auto accused = verifier.check_evidence(*one);
    if (accused) ZELL_CHECK(accused->value < genesis.size());
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  constexpr void (*readers[])(std::string_view) = {
      [](std::string_view body) { (void)read_submit_answer(body); },
      [](std::string_view body) { (void)read_lookup_answer(body); },
      read_inclusion,
      read_consistency,
      read_certificate,
      read_chunk,
      read_pending,
      read_evidence,
  };
  readers[data[0] % std::size(readers)](as_text({data + 1, size - 1}));
  return 0;
}
