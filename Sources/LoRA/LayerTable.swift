import ComputeCore
import Layers

/// The layers of a model that adapters can change, by path and by flattened path.
///
/// kohya's names have `_` for `.`, and which `_` was a `.` cannot be told from the name alone.
struct LayerTable {
  /// Whatever has a weight: a layer, a convolution, a norm, an embedding.
  struct Layer {
    /// Place in the order of the model's parameters.
    let index: Int
    /// Shape of the weight in a checkpoint.
    let weightShape: Shape
    /// Shape of the bias, `nil` for a layer without one.
    let biasShape: Shape?
    /// The parameters, unless the table is that of a file.
    let weight: Parameter?
    let bias: Parameter?
    /// The layer, if it can carry adapters.
    let adaptable: (any AdaptableLayer)?
  }

  private let layers: [String: Layer]
  /// Flattened path → path; names that two layers share are left out.
  private let paths: [String: String]

  /// The layers of a model.
  init(_ module: any Module) {
    let parameters = module.namedParameters()
    let byKey = Dictionary(parameters.map { ($0.key, $0.parameter) }) { first, _ in first }
    var adaptable: [String: any AdaptableLayer] = [:]
    for (path, child) in module.namedModules() {
      if let layer = child as? any AdaptableLayer { adaptable[path] = layer }
    }
    self.init(
      keys: parameters.map(\.key), shape: { byKey[$0]?.checkpointShape },
      parameter: { byKey[$0] }, adaptable: { adaptable[$0] })
  }

  /// The layers whose weights have these names and shapes in a checkpoint.
  init(shapes: [String: Shape]) {
    self.init(keys: shapes.keys.sorted(), shape: { shapes[$0] })
  }

  private init(
    keys: [String], shape: (String) -> Shape?, parameter: (String) -> Parameter? = { _ in nil },
    adaptable: (String) -> (any AdaptableLayer)? = { _ in nil }
  ) {
    var layers: [String: Layer] = [:]
    for (index, key) in keys.enumerated() where key.hasSuffix(".weight") {
      let path = String(key.dropLast(".weight".count))
      guard let weightShape = shape(key) else { continue }
      layers[path] = Layer(
        index: index, weightShape: weightShape, biasShape: shape(path + ".bias"),
        weight: parameter(key), bias: parameter(path + ".bias"), adaptable: adaptable(path))
    }
    self.layers = layers
    paths = Dictionary(grouping: layers.keys, by: LayerTable.flattened)
      .compactMapValues { $0.count == 1 ? $0.first : nil }
  }

  /// The layer at a path.
  subscript(path path: String) -> Layer? { layers[path] }

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
