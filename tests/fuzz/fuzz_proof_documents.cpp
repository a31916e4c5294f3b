// Proofs as files, from anybody: the first byte says what it is taken for. What is accepted is written back as a
// document that is accepted and says the same.

#include "client/proof_documents.h"
#include "tests/fuzz/stand_in.h"

namespace {

using namespace zell;

void read_proof(std::string_view text) {
  const auto& verifier = testing::stand_in_verifier();
  const auto proven = check_proof_document(text, verifier);
  if (!proven) return;
  const auto again = check_proof_document(write_proof_document(*proven, verifier.domain()), verifier);
  ZELL_CHECK(again.ok() && again->index == proven->index && again->request->canonical == proven->request->canonical &&
             *again->certificate == *proven->certificate && again->path == proven->path);
}

void read_certificate(std::string_view text) {
  const auto certificate = check_certificate_document(text, testing::stand_in_verifier());
  if (certificate) ZELL_CHECK((*certificate)->phase == Phase::final);
}

void read_evidence(std::string_view text) {
  const auto& verifier = testing::stand_in_verifier();
  const auto faults = check_evidence_document(text, verifier);
  if (!faults) return;
  const auto again =
      check_evidence_document(write_evidence_document(faults->faults, verifier.genesis(), verifier.domain()), verifier);
  ZELL_CHECK(again.ok() && again->faults.size() == faults->faults.size());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  constexpr void (*readers[])(std::string_view) = {read_proof, read_certificate, read_evidence};
  readers[data[0] % std::size(readers)](as_text({data + 1, size - 1}));
  return 0;
}
