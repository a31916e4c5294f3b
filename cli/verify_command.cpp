// zell verify: what is checked, by its options.

#include "cli/exit_codes.h"
#include "cli/genesis_choice.h"
#include "cli/output.h"
#include "cli/verify.h"

namespace zell::cli {
namespace {

int verify(const Globals& globals, VerifyOptions options) {
  if (options.data.empty() && !options.folders.empty()) {
    return fail({"usage", "what is " + options.folders.front() + "?", "zell verify --data FOLDER"});
  }
  options.data.insert(options.data.end(), options.folders.begin(), options.folders.end());
  const int offline = int(!options.proof.empty()) + int(!options.certificate.empty()) + int(!options.evidence.empty()) +
                      int(!options.data.empty());
  if (offline > 1) {
    return fail(
        {"usage", "--proof, --certificate, --evidence and --data are different things to verify", "one at a time"});
  }
  if (offline == 1 && (options.from || options.to)) {
    return fail({"usage", "--from and --to are for the logs of running nodes", "zell verify --from 1 --to 5"});
  }
  if (offline == 0 && !options.genesis.empty()) {
    return fail({"usage", "--genesis goes with --proof, --certificate, --evidence or --data",
                 "zell verify --proof FILE --genesis genesis.toml"});
  }
  if (options.signatures && offline == 1 && options.data.empty()) {
    return fail({"usage", "--signatures is for logs: a document's signatures are always checked", ""});
  }
  if (offline == 0) return verify_nodes(globals, options);
  auto genesis = choose_genesis(globals, options.genesis);
  if (!genesis) return fail(genesis.error());
  if (!options.proof.empty()) return verify_proofs(options, *genesis);
  if (!options.certificate.empty()) return verify_certificates(options, *genesis);
  if (!options.evidence.empty()) return verify_evidence(options, *genesis);
  return verify_data(options, *genesis);
}

}  // namespace

void add_verify_command(Command root, const Globals& globals) {
  auto options = std::make_shared<VerifyOptions>();
  auto command = root.add("verify", "Recompute logs, check their certificates, and compare; or check proofs offline");
  command.flag("--signatures", options->signatures, "Also check each request's signature again (slower)")
      .option("--from", options->from, "INDEX", "Begin here: an inclusion proof stands for what is below", 1)
      .option("--to", options->to, "INDEX", "End here", 1)
      .option("--proof", options->proof, "FILE",
              "Check proofs (zell prove, zell log --proof), without any node; - is stdin")
      .option("--certificate", options->certificate, "FILE", "Check what GET /v1/certificate gave")
      .option("--evidence", options->evidence, "FILE", "Check proofs of faults (zell evidence export)")
      .list("--data", options->data, "FOLDER",
            "Check and compare whole data folders of stopped nodes; nothing is written")
      .positionals("FOLDER", options->folders, "More folders for --data")
      .option("--genesis", options->genesis, "FILE", "With these, trust this genesis file; else the cluster's own")
      .examples({"zell verify", "zell verify --from 1 --json", "zell prove 1 | zell verify --proof -"})
      .preset_only_with("--genesis", {"--proof", "--certificate", "--evidence", "--data"})
      .preset_not_with("--signatures", {"--proof", "--certificate", "--evidence"})
      .preset_not_with("--from", {"--proof", "--certificate", "--evidence", "--data"})
      .preset_not_with("--to", {"--proof", "--certificate", "--evidence", "--data"})
      .preset_not_with("--proof", {"--certificate", "--evidence", "--data"})
      .preset_not_with("--certificate", {"--proof", "--evidence", "--data"})
      .preset_not_with("--evidence", {"--proof", "--certificate", "--data"})
      .preset_not_with("--data", {"--proof", "--certificate", "--evidence"})
      .run([&globals, options] { return verify(globals, *options); });
}

}  // namespace zell::cli
