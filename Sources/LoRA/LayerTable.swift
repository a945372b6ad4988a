import Layers

/// The layers of a model that can carry adapters, by path and by flattened path.
///
/// kohya's names have `_` for `.`, and which `_` was a `.` cannot be told from the name alone.
struct LayerTable {
  private let layers: [String: (index: Int, layer: any AdaptableLayer)]
  /// Flattened path → path; names that two layers share are left out.
  private let paths: [String: String]

  init(_ module: any Module) {
    var layers: [String: (index: Int, layer: any AdaptableLayer)] = [:]
    for (index, (path, child)) in module.namedModules().enumerated() {
      if let layer = child as? any AdaptableLayer { layers[path] = (index, layer) }
    }
    self.layers = layers
    paths = Dictionary(grouping: layers.keys, by: LayerTable.flattened)
      .compactMapValues { $0.count == 1 ? $0.first : nil }
  }

  /// The layer at a path and its place in the order of the model's modules.
  subscript(path path: String) -> (index: Int, layer: any AdaptableLayer)? { layers[path] }

  /// The path that a name of a file means, dotted or flattened.
  ///
  /// Text encoders are written with and without `text_model.` in front of every path.
  func path(named name: String, isFlattened: Bool, component: LoRAComponent) -> String? {
    var spellings = [name]
    if component != .unet {
      let prefix = isFlattened ? "text_model_" : "text_model."
      spellings.append(
        name.hasPrefix(prefix) ? String(name.dropFirst(prefix.count)) : prefix + name)
    }
    for spelling in spellings {
      if isFlattened, let path = paths[spelling] { return path }
      if !isFlattened, layers[spelling] != nil { return spelling }
    }
    return nil
  }

  /// `a.b_c` → `a_b_c`.
  static func flattened(_ path: String) -> String { path.replacing(".", with: "_") }
}
