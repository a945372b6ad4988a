/// OpenCLIP's text model, `cond_stage_model.model.…` in single files of Stable Diffusion 2, and
/// transformers' names of the same tensors.
///
/// OpenCLIP keeps the projections to queries, keys and values in one tensor. Stable Diffusion 2
/// reads the last layer but one, so diffusers leaves the last layer out; so does this. A file made
/// from diffusers' form lacks that layer already, and what follows it. Source: diffusers
/// `loaders/single_file_utils.py`, `convert_open_clip_checkpoint`.
enum OpenCLIPKeys {
  private static let layers = "transformer.resblocks."
  private static let parts = [
    "ln_1": "layer_norm1", "ln_2": "layer_norm2", "attn.out_proj": "self_attn.out_proj",
    "mlp.c_fc": "mlp.fc1", "mlp.c_proj": "mlp.fc2",
  ]
  private static let others = [
    "token_embedding.weight": "text_model.embeddings.token_embedding.weight",
    "positional_embedding": "text_model.embeddings.position_embedding.weight",
    "ln_final.weight": "text_model.final_layer_norm.weight",
    "ln_final.bias": "text_model.final_layer_norm.bias",
  ]
  private static let projections = ["q_proj", "k_proj", "v_proj"]

  /// transformers' view of the text model in a single file, without its last layer.
  ///
  /// - Throws: `CheckpointError.malformed` when a joint projection cannot be cut into three.
  static func part(of source: any TensorSource) throws(CheckpointError) -> CheckpointPart {
    var part = CheckpointPart(of: source)
    let count = usedLayers(source.keys)
    let ignored = ["text_projection", "logit_scale", "attn_mask"]
    for key in source.keys where key.hasPrefix(SingleFilePrefix.openClip) {
      let name = String(key.dropFirst(SingleFilePrefix.openClip.count))
      if let known = others[name] {
        try part.add(known, key)
      } else if let (layer, rest) = layer(of: name) {
        if layer < count { try add(rest, layer, key, to: &part, source) }
      } else if !ignored.contains(name), !name.hasPrefix("visual.") {
        try part.add(key, key)  // strict loading will name it
      }
    }
    return part
  }

  /// Layers that Stable Diffusion 2 reads: 23 of ViT-H's 24; in encoders of other sizes, all but
  /// the last when the projection that follows it is there.
  static func usedLayers(_ keys: [String]) -> Int {
    let count = layerCount(keys)
    if count == 23 || count == 24 { return 23 }
    return keys.contains(SingleFilePrefix.openClip + "text_projection") ? max(0, count - 1) : count
  }

  /// One more than the largest number of a layer.
  private static func layerCount(_ keys: [String]) -> Int {
    let numbers = keys.compactMap { key -> Int? in
      guard key.hasPrefix(SingleFilePrefix.openClip) else { return nil }
      return layer(of: String(key.dropFirst(SingleFilePrefix.openClip.count)))?.0
    }
    return numbers.max().map { $0 &+ 1 } ?? 0
  }

  /// Names of the tensors that follow the layers in use.
  static func unused(_ keys: [String]) -> [String] {
    let used = usedLayers(keys)
    return keys.filter { key in
      guard key.hasPrefix(SingleFilePrefix.openClip) else { return false }
      let name = String(key.dropFirst(SingleFilePrefix.openClip.count))
      return name == "text_projection" || layer(of: name).map { $0.0 >= used } == true
    }
  }

  private static func layer(of name: String) -> (Int, rest: String)? {
    guard name.hasPrefix(layers) else { return nil }
    let rest = name.dropFirst(layers.count)
    guard let dot = rest.firstIndex(of: "."), let number = Int(rest[..<dot]),
      (0..<10_000).contains(number)
    else { return nil }
    return (number, String(rest[rest.index(after: dot)...]))
  }

  private static func add(
    _ rest: String, _ layer: Int, _ key: String, to part: inout CheckpointPart,
    _ source: any TensorSource
  ) throws(CheckpointError) {
    let place = "text_model.encoder.layers.\(layer)."
    for kind in ["weight", "bias"] where rest == "attn.in_proj_\(kind)" {
      let rows = source.shape(of: key)?.first ?? 0
      guard rows > 0, rows % 3 == 0 else {
        throw .malformed(
          file: source.path, found: "\"\(key)\" with \(rows) rows", expected: "three equal parts")
      }
      for (index, name) in projections.enumerated() {
        let range = rows / 3 * index..<rows / 3 * (index + 1)
        try part.add("\(place)self_attn.\(name).\(kind)", rows: range, of: key)
      }
      return
    }
    guard let dot = rest.lastIndex(of: "."), let name = parts[String(rest[..<dot])] else {
      return try part.add(key, key)
    }
    try part.add(place + name + rest[dot...], key)
  }

  /// Adds transformers' tensors under OpenCLIP's names.
  static func add(_ source: any TensorSource, to part: inout CheckpointPart)
    throws(CheckpointError)
  {
    let names = Dictionary(others.map { ($1, $0) }) { first, _ in first }
    let partNames = Dictionary(parts.map { ($1, $0) }) { first, _ in first }
    let prefix = SingleFilePrefix.openClip
    for key in source.keys {
      if let name = names[key] {
        try part.add(prefix + name, key)
        continue
      }
      let words = key.split(separator: ".").map(String.init)
      guard words.count > 5, key.hasPrefix("text_model.encoder.layers."), let kind = words.last
      else { throw .unsupportedName(key, source.path) }
      let place = "\(prefix)\(layers)\(words[3])."
      let rest = words[4..<words.count - 1].joined(separator: ".")
      if rest == "self_attn.q_proj" {
        let attention = words[..<5].joined(separator: ".")
        let keys = projections.map { "\(attention).\($0).\(kind)" }
        try part.add("\(place)attn.in_proj_\(kind)", joining: keys)
      } else if let name = partNames[rest] {
        try part.add("\(place)\(name).\(kind)", key)
      } else if rest != "self_attn.k_proj", rest != "self_attn.v_proj" {
        throw .unsupportedName(key, source.path)
      }
    }
  }
}

extension CheckpointError {
  /// A tensor that a single file has no name for.
  static func unsupportedName(_ key: String, _ path: String) -> CheckpointError {
    .malformed(
      file: path, found: "tensor \"\(key)\"",
      expected: "only tensors of Stable Diffusion 1 and 2, which a single file has names for")
  }
}
