/// Follows a ComfyUI graph from the saved picture back to what it was made of.
///
/// Read are the nodes of the usual text-to-image and image-to-image graphs, with LoRA loaders, clip
/// skip and another VAE; other nodes that a picture, a model or a prompt passes are noted.
/// Source: ComfyUI `nodes.py`, whose classes and inputs these are.
struct ComfyUIReading {
  let graph: ComfyUIGraph
  /// What was passed on the way and cannot be done here.
  private(set) var notes: [String] = []
  private var fields: [GenerationParameters.Field] = []

  private static let samplers: Set = ["KSampler", "KSamplerAdvanced"]
  private static let plain: Set = [
    "SaveImage", "PreviewImage", "VAEDecode", "VAEDecodeTiled", "VAEEncode", "LoadImage",
  ]

  init(_ graph: ComfyUIGraph) { self.graph = graph }

  /// Prompt and settings under the names that A1111 uses.
  ///
  /// - Returns: with the sampler in ComfyUI's spelling.
  /// - Throws: `MetadataError.graph`, `.missing` or `.invalid`, naming the node.
  mutating func parameters() throws(MetadataError) -> GenerationParameters {
    let (sampler, decoder) = try finalSampler()
    let steps = try setting(sampler, "steps")
    add("Steps", steps)
    let name = try setting(sampler, "sampler_name")
    // The same steps with the random numbers of a GPU.
    add("Sampler", name.hasSuffix("_gpu") ? String(name.dropLast(4)) : name)
    if name.hasSuffix("_gpu") { notes.append("the random numbers of \(name)") }
    add("Schedule type", try setting(sampler, "scheduler"))
    add("CFG scale", try setting(sampler, "cfg"))
    let isAdvanced = kind(sampler) == "KSamplerAdvanced"
    add("Seed", try setting(sampler, isAdvanced ? "noise_seed" : "seed"))
    try readLatents(sampler, strength: isAdvanced ? "1" : setting(sampler, "denoise"))
    if isAdvanced { try checkWhole(sampler, steps: steps) }
    let positive = try prompt(sampler, "positive")
    let weights = try readTextModel(positive.encoder)
    try readModel(sampler, textWeights: weights)
    if let decoder, let vae = graph.source(decoder, "vae"), kind(vae) == "VAELoader" {
      add("VAE", fileName(try setting(vae, "vae_name")))
    }
    return GenerationParameters(
      prompt: positive.text, negativePrompt: try prompt(sampler, "negative").text, fields: fields)
  }

  private mutating func add(_ name: String, _ value: String) {
    fields.append(GenerationParameters.Field(name, value))
  }

  private func kind(_ id: String) -> String { graph.nodes[id]?.kind ?? "" }

  private func title(_ id: String) -> String { "node \(id), a \(kind(id))" }

  private func setting(_ id: String, _ input: String) throws(MetadataError) -> String {
    guard let value = graph.value(id, input) else {
      throw .graph("the input \"\(input)\" of \(title(id)), has no value that can be read")
    }
    return value
  }

  /// The sampler whose latents were saved as a picture, and what decoded them.
  private mutating func finalSampler() throws(MetadataError) -> (id: String, decoder: String?) {
    let ids = graph.nodes.keys.sorted()
    for id in ids where kind(id).contains("SaveImage") || kind(id).contains("PreviewImage") {
      var decoder: String?
      let inputs = ["images", "image", "samples", "latent", "pixels"]
      let found = walk(from: id, along: inputs) { graph, id in
        if graph.nodes[id]?.inputs["vae"] != nil { decoder = decoder ?? id }
        return Self.samplers.contains(graph.nodes[id]?.kind ?? "")
      }
      if let found { return (found, decoder) }
    }
    let known = Self.samplers.sorted().joined(separator: " or ")
    throw .graph("no saved picture comes from a \(known), the samplers that are understood")
  }

  /// Goes from node to node against the links of the first of `inputs` that each has, until `isEnd`;
  /// notes what it passes.
  private mutating func walk(
    from start: String, along inputs: [String], until isEnd: (ComfyUIGraph, String) -> Bool
  ) -> String? {
    var id = start
    var passed: [String] = []
    while !isEnd(graph, id) {
      guard !passed.contains(id) else { return nil }
      passed.append(id)
      let sources = inputs.compactMap { graph.source(id, $0) }
      guard let next = sources.first else { return nil }
      id = next
    }
    let kinds = passed.dropFirst().map(kind).filter { !Self.plain.contains($0) }
    for kind in kinds where !notes.contains(kind) { notes.append(kind) }
    return id
  }

  /// A prompt and the node that encodes it.
  private mutating func prompt(
    _ sampler: String, _ input: String
  ) throws(MetadataError) -> (text: String, encoder: String) {
    let names = [input, "conditioning", "conditioning_1", "conditioning_to"]
    let encoder = walk(from: sampler, along: names) { graph, id in
      graph.nodes[id]?.kind == "CLIPTextEncode"
    }
    guard let encoder else {
      throw .graph("the input \"\(input)\" of \(title(sampler)), comes from no CLIPTextEncode")
    }
    return (try setting(encoder, "text"), encoder)
  }

  /// Where the sampler starts: noise of a size, or a picture.
  private mutating func readLatents(
    _ sampler: String, strength: String
  ) throws(MetadataError) {
    let start = walk(from: sampler, along: ["latent_image", "samples"]) { graph, id in
      let inputs = graph.nodes[id]?.inputs ?? [:]
      return id != sampler
        && (inputs["width"] != nil && inputs["samples"] == nil || inputs["pixels"] != nil
          || Self.samplers.contains(graph.nodes[id]?.kind ?? ""))
    }
    guard let start else {
      throw .graph("\(title(sampler)), does not start from an EmptyLatentImage or a VAEEncode")
    }
    guard !Self.samplers.contains(kind(start)) else {
      throw .graph("\(title(sampler)), goes on with the latents of \(title(start))")
    }
    guard graph.nodes[start]?.inputs["pixels"] != nil else {
      add("Size", try "\(setting(start, "width"))x\(setting(start, "height"))")
      if let count = graph.value(start, "batch_size"), count != "1" {
        notes.append("a batch of \(count), which ComfyUI draws from one seed")
      }
      if strength != "1" { notes.append("denoise \(strength) of an empty picture") }
      return
    }
    add("Denoising strength", strength)
    if kind(start) != "VAEEncode" { notes.append(kind(start)) }
    let picture = walk(from: start, along: ["pixels", "image"]) { graph, id in
      graph.nodes[id]?.kind == "LoadImage"
    }
    if let picture { add("Init picture", fileName(try setting(picture, "image"))) }
  }

  /// Refuses samplers that take a part of their steps.
  private func checkWhole(_ sampler: String, steps: String) throws(MetadataError) {
    let first = graph.value(sampler, "start_at_step") ?? "0"
    let last = graph.value(sampler, "end_at_step").flatMap(Int.init) ?? .max
    let noise = graph.value(sampler, "add_noise") ?? "enable"
    guard first == "0", last >= Int(steps) ?? 0, noise == "enable" else {
      throw .graph("\(title(sampler)), takes only a part of its steps")
    }
  }

  /// Notes how far the text encoder is used; the weights of the LoRA loaders it passes, by node.
  private mutating func readTextModel(
    _ encoder: String
  ) throws(MetadataError) -> [String: String] {
    var weights: [String: String] = [:]
    var id = encoder
    for _ in graph.nodes {
      guard let next = graph.source(id, "clip") else { break }
      id = next
      switch kind(id) {
      case "CLIPSetLastLayer":
        let layer = try setting(id, "stop_at_clip_layer")
        guard let number = Int(layer), number < 0 else {
          throw .invalid(field: "stop_at_clip_layer", found: layer, expected: "-1 or less")
        }
        if number < -1 { add("Clip skip", "\(-number)") }
      case "LoraLoader": weights[id] = try setting(id, "strength_clip")
      default: break
      }
    }
    return weights
  }

  /// Notes the model and the LoRA files it goes through.
  private mutating func readModel(
    _ sampler: String, textWeights: [String: String]
  ) throws(MetadataError) {
    var id = sampler
    var loras: [String] = []
    for _ in graph.nodes {
      guard let next = graph.source(id, "model") else { break }
      id = next
      if graph.nodes[id]?.inputs["lora_name"] != nil {
        let weight = try setting(id, "strength_model")
        let text = textWeights[id] ?? "0"
        let name = fileName(try setting(id, "lora_name"))
        loras.insert("\(name):\(weight)" + (text == weight ? "" : ":te=\(text)"), at: 0)
      } else if graph.source(id, "model") != nil, !notes.contains(kind(id)) {
        notes.append(kind(id))
      }
    }
    let inputs = graph.nodes[id]?.inputs ?? [:]
    guard let input = ["ckpt_name", "unet_name"].first(where: { inputs[$0] != nil }) else {
      throw .graph("the model of \(title(sampler)), comes from no loader of checkpoints")
    }
    add("Model", try setting(id, input))
    for lora in loras { add("LoRA", lora) }
  }
}

/// The name behind the folders of a path, of Windows too.
func fileName(_ path: String) -> String {
  path.split { $0 == "/" || $0 == "\\" }.last.map(String.init) ?? path
}
