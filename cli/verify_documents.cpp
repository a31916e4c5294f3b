// zell verify --proof, --certificate, --evidence: documents, against the genesis and nothing else.

#include <fmt/format.h>

#include <deque>
#include <map>

#include "cli/documents.h"
#include "cli/evidence_text.h"
#include "cli/exit_codes.h"
#include "cli/json.h"
#include "cli/verify.h"
#include "client/proof_documents.h"
#include "node/wire/request_codec.h"

namespace zell::cli {
namespace {

// Certificates of other documents that one is compared with. Old ones go first: a file of proofs has no end.
constexpr std::size_t max_compared = 4'096;

/// That certificates of one index are of one root: else a third of the stake has signed both.
class Roots {
 public:
  Status add(const Certificate& certificate) {
    const auto [known, is_new] = roots_.emplace(certificate.point.index, certificate.point.root);
    if (!is_new && known->second != certificate.point.root) {
      return Error{"fork",
                   fmt::format("two finality certificates are of different logs at #{}", certificate.point.index.value),
                   "a third of the stake or more has signed both: keep both documents, trust neither"};
    }
    if (is_new) arrived_.push_back(certificate.point.index);
    if (arrived_.size() > max_compared) {
      roots_.erase(arrived_.front());
      arrived_.pop_front();
    }
    return Ok{};
  }

 private:
  std::map<Index, Hash> roots_;
  std::deque<Index> arrived_;
};

Error in_document(Error error, std::uint64_t number) {
  if (number > 1) error.what = fmt::format("document {}: {}", number, error.what);
  return error;
}

Json json_of(const Certificate& certificate, const Genesis& genesis) {
  return {{"final", certificate.point.index.value},
          {"root", to_hex0x(certificate.point.root.view())},
          {"view", certificate.view.value},
          {"signers", certificate.signatures.size()},
          {"members", genesis.size()}};
}

void print_proof(const ProvenRequest& proven, const Genesis& genesis) {
  const auto& request = *proven.request;
  const auto address = address_of(request.sender);
  const auto payloads = payloads_of(request);
  if (output_mode().json) {
    Json data = Json::array();
    for (const auto payload : payloads) data.push_back(to_hex0x(payload));
    Json out{{"verified", true},
             {"index", proven.index.value},
             {"id", to_hex0x(request.id.view())},
             {"app", request.app},
             {"address", address ? Json(to_checksum_hex(*address)) : Json()},
             {"nonce", std::to_string(request.nonce)},
             {"payloads", std::move(data)}};
    out["certificate"] = json_of(*proven.certificate, genesis);
    return print_json(std::move(out));
  }
  print(fmt::format("{} #{} is final: {}{}  by {}, app {}; certificate of {} of {} signers at #{}", check_mark(),
                    proven.index.value, readable(as_text(payloads.front()), 60),
                    payloads.size() > 1 ? fmt::format(" (+{} more)", payloads.size() - 1) : "",
                    address ? to_checksum_hex(*address) : "?", request.app, proven.certificate->signatures.size(),
                    genesis.size(), proven.certificate->point.index.value));
}

}  // namespace

int verify_proofs(const VerifyOptions& options, const Genesis& genesis) {
  const Verifier verifier(genesis, secp256k1_scheme(), nullptr);
  Roots roots;
  Progress progress("verified", 0);
  auto read = each_document(options.proof, max_proof_document_bytes,
                            [&](std::string_view text, std::uint64_t number) -> Status {
                              auto proven = check_proof_document(text, verifier);
                              if (!proven) return in_document(proven.error(), number);
                              if (auto same = roots.add(*proven->certificate); !same) return same;
                              print_proof(*proven, genesis);
                              progress.update(number);
                              return Ok{};
                            });
  return read ? done : fail(read.error());
}

int verify_certificates(const VerifyOptions& options, const Genesis& genesis) {
  const Verifier verifier(genesis, secp256k1_scheme(), nullptr);
  Roots roots;
  auto read = each_document(
      options.certificate, max_proof_document_bytes, [&](std::string_view text, std::uint64_t number) -> Status {
        auto certificate = check_certificate_document(text, verifier);
        if (!certificate) return in_document(certificate.error(), number);
        if (auto same = roots.add(**certificate); !same) return same;
        if (output_mode().json) {
          Json out{{"verified", true}};
          out.update(json_of(**certificate, genesis));
          print_json(std::move(out));
        } else {
          const auto& point = (*certificate)->point;
          print(fmt::format("{} the log is final to #{}, root {}: certificate of {} of {} signers, view {}",
                            check_mark(), point.index.value, to_hex0x(point.root.view()),
                            (*certificate)->signatures.size(), genesis.size(), (*certificate)->view.value));
        }
        return Ok{};
      });
  return read ? done : fail(read.error());
}

int verify_evidence(const VerifyOptions& options, const Genesis& genesis) {
  const Verifier verifier(genesis, secp256k1_scheme(), nullptr);
  std::size_t found = 0;
  auto read = each_document(options.evidence, max_evidence_document_bytes,
                            [&](std::string_view text, std::uint64_t number) -> Status {
                              auto faults = check_evidence_document(text, verifier);
                              if (!faults) return in_document(faults.error(), number);
                              for (const auto& fault : faults->faults) {
                                ++found;
                                if (output_mode().json) {
                                  Json out{{"verified", true}};
                                  out.update(evidence_json(fault, genesis));
                                  print_json(std::move(out));
                                } else {
                                  print(fmt::format("{} {}", check_mark(), evidence_line(fault, genesis)));
                                }
                              }
                              return Ok{};
                            });
  if (!read) return fail(read.error());
  if (found == 0) return fail({"bad-proof", "there is no evidence in it: nobody is accused", ""});
  return done;
}

}  // namespace zell::cli
