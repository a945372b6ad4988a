import Foundation

/// Finds the weights of a model in its folder, by all the names that they go by.
package enum WeightFiles {
  /// Opens the weights that a folder holds.
  ///
  /// The first that exists of `<name>.safetensors`, its index of shards, the same for the variants
  /// `fp16` and `bf16`, and of torch's files under `<name>` or the older name `pytorch_model`. A
  /// variant's index is `<name>.safetensors.index.<variant>.json`.
  ///
  /// - Throws: `CheckpointError.unreadable` when there are none, or why the first cannot be read.
  package static func open(_ name: String, in folder: String) throws(CheckpointError)
    -> any TensorSource
  {
    for candidate in candidates(name) {
      let path = "\(folder)/\(candidate)"
      guard FileManager.default.fileExists(atPath: path) else { continue }
      return candidate.hasSuffix(".json")
        ? try ShardedCheckpoint(index: path) : try CheckpointFile.open(path)
    }
    throw .unreadable(
      file: "\(folder)/\(name).safetensors",
      reason: "no such file, nor an index of shards, an fp16 or bf16 variant or a .bin file")
  }

  private static func candidates(_ name: String) -> [String] {
    var names: [String] = []
    for (stems, ending) in [([name], "safetensors"), ([name, "pytorch_model"], "bin")] {
      for stem in stems {
        names += ["\(stem).\(ending)", "\(stem).\(ending).index.json"]
        for variant in ["fp16", "bf16"] {
          names += [
            "\(stem).\(variant).\(ending)", "\(stem).\(ending).index.\(variant).json",
            "\(stem).\(variant).\(ending).index.json",
          ]
        }
      }
    }
    return names
  }
}
