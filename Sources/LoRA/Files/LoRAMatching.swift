import ComputeCore
import Layers

/// The adapters of a file with the layers they are for.
struct LoRAMatches {
  /// One adapter and its layer.
  struct Match {
    let entry: LoRAEntry
    let path: String
    let layer: LayerTable.Layer
    /// `alpha / rank`.
    let scale: Float
    let alpha: Float?
  }

  /// By component, in the order of the model's layers.
  private(set) var found: [LoRAComponent: [Match]] = [:]
  /// Names of tensors for models that were not given.
  private(set) var skippedKeys: [String] = []
  /// Names of tensors for layers, or biases of layers, that the models do not have.
  private(set) var unmatchedKeys: [String] = []

  /// Finds the layer of every adapter and checks all shapes.
  ///
  /// - Parameters:
  ///   - file: the adapters.
  ///   - tables: the layers of the models that are given.
  ///   - allowsUnmatched: whether adapters without a layer are listed instead of refused.
  /// - Throws: `LoRAError.mismatch` with everything that does not fit, or a wrong setting.
  init(
    _ file: LoRAFile, _ tables: [LoRAComponent: LayerTable], allowsUnmatched: Bool
  ) throws(LoRAError) {
    let scales = try LoRAScales(file)
    var wrongShapes: [String] = []
    var taken: Set<String> = []
    for entry in file.entries {
      guard let table = tables[entry.component] else {
        skippedKeys += entry.allKeys
        continue
      }
      let path = table.path(
        named: entry.module, isFlattened: entry.isFlattened, component: entry.component)
      guard let path, let layer = table[path: path],
        taken.insert("\(entry.component.rawValue) \(path)").inserted
      else {
        unmatchedKeys += entry.allKeys
        continue
      }
      if layer.biasShape == nil, let key = entry.biasPart.flatMap({ entry.keys[$0] }) {
        unmatchedKeys.append(key)
        guard entry.changesWeight else { continue }
      }
      wrongShapes +=
        LoRAShapes(file: file, entry: entry, weight: layer.weightShape, bias: layer.biasShape)
        .misfits()
      found[entry.component, default: []].append(
        Match(
          entry: entry, path: path, layer: layer, scale: try scales.scale(of: entry),
          alpha: try scales.alpha(of: entry)))
    }
    for (component, matches) in found {
      found[component] = matches.sorted { $0.layer.index < $1.layer.index }
    }
    // A file that has nothing at all for the models is refused whatever is allowed.
    let missing = (found.isEmpty ? skippedKeys : []) + unmatchedKeys
    guard wrongShapes.isEmpty, !found.isEmpty, missing.isEmpty || allowsUnmatched else {
      throw .mismatch(file: file.path, unmatched: missing, wrongShapes: wrongShapes)
    }
  }

  /// All adapters, component by component.
  var all: [Match] { LoRAComponent.allCases.flatMap { found[$0] ?? [] } }
}
