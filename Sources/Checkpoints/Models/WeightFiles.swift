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
    let path = try path(name, in: folder)
    return path.hasSuffix(".json")
      ? try ShardedCheckpoint(index: path) : try CheckpointFile.open(path)
  }

  /// The files that `open` reads weights from, sorted by name: one, or all shards of an index.
  ///
  /// - Throws: `CheckpointError.unreadable` when there are none, or why the index cannot be read.
  package static func paths(_ name: String, in folder: String) throws(CheckpointError) -> [String] {
    let path = try path(name, in: folder)
    guard path.hasSuffix(".json") else { return [path] }
    return Set(try ConfigFile.stringMap("weight_map", in: path).values).sorted().map {
      "\(folder)/\($0)"
    }
  }

  /// The weight file, or the index of several, that comes first.
  private static func path(_ name: String, in folder: String) throws(CheckpointError) -> String {
    let paths = candidates(name).map { "\(folder)/\($0)" }
    guard let path = paths.first(where: FileManager.default.fileExists(atPath:)) else {
      throw .unreadable(
        file: "\(folder)/\(name).safetensors",
        reason: "no such file, nor an index of shards, an fp16 or bf16 variant or a .bin file")
    }
    return path
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
