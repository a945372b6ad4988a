import Diffusion
import Pipelines
import Testing

/// Graphs in ComfyUI's API form, made of its own nodes.
@Suite struct ComfyUIReadingTests {
  /// The nodes of the graph that ComfyUI opens with.
  static let usual = [
    "3": """
    {"class_type": "KSampler", "inputs": {"seed": 18446744073709551615, "steps": 20, "cfg": 8.0,
      "sampler_name": "euler", "scheduler": "normal", "denoise": 1.0, "model": ["4", 0],
      "positive": ["6", 0], "negative": ["7", 0], "latent_image": ["5", 0]}}
    """,
    "4": """
    {"class_type": "CheckpointLoaderSimple", "inputs": {"ckpt_name": "sd15/v1-5.safetensors"},
      "is_changed": [NaN]}
    """,
    "5": """
    {"class_type": "EmptyLatentImage", "inputs": {"width": 512, "height": 640, "batch_size": 1}}
    """,
    "6": """
    {"class_type": "CLIPTextEncode", "_meta": {"title": "prompt"},
      "inputs": {"text": "a \\"red\\" apple", "clip": ["4", 1]}}
    """,
    "7":
      "{\"class_type\": \"CLIPTextEncode\", \"inputs\": {\"text\": \"dark\", \"clip\": [\"4\", 1]}}",
    "8":
      "{\"class_type\": \"VAEDecode\", \"inputs\": {\"samples\": [\"3\", 0], \"vae\": [\"4\", 2]}}",
    "9": """
    {"class_type": "SaveImage", "inputs": {"filename_prefix": "ComfyUI", "images": ["8", 0]}}
    """,
  ]

  private func record(_ changes: [String: String]) throws -> GenerationRecord {
    let nodes = Self.usual.merging(changes) { $1 }.map { "\"\($0)\": \($1)" }
    let text = "{\(nodes.joined(separator: ", "))}"
    return try #require(try GenerationRecord(text: ["prompt": text]))
  }

  @Test func theUsualGraphIsRead() throws {
    let record = try record([:])
    #expect(record.author == .comfyUI && record.notReproduced.isEmpty)
    #expect(record["Model"] == "sd15/v1-5.safetensors")
    let request = try GenerationRequest(record)
    #expect(request.prompts == ["a \"red\" apple"] && request.negativePrompt == "dark")
    #expect(request.seeds == [.max] && request.steps == 20 && request.guidanceScale == 8)
    #expect(request.sampler == SamplerName(.euler) && request.likeness == .comfyUI)
    #expect((request.width, request.height, request.clipSkip) == (512, 640, 1))
    #expect(try record.strength() == nil)
  }

  @Test func modelAndTextGoThroughLoadersAndClipSkip() throws {
    let loader = "\"class_type\": \"LoraLoader\", \"inputs\": {\"lora_name\": "
    let record = try record([
      "3": Self.usual["3", default: ""].replacing("[\"4\", 0]", with: "[\"12\", 0]")
        .replacing("euler", with: "dpmpp_2m_sde_gpu").replacing("normal", with: "karras"),
      "6": Self.usual["6", default: ""].replacing("[\"4\", 1]", with: "[\"13\", 0]"),
      "10": "{\(loader)\"ink\\\\a.safetensors\", \"strength_model\": 0.8, \"strength_clip\": 0.5, "
        + "\"model\": [\"4\", 0], \"clip\": [\"4\", 1]}}",
      "11": "{\(loader)\"b.safetensors\", \"strength_model\": 1, \"strength_clip\": 1.0, "
        + "\"model\": [\"10\", 0], \"clip\": [\"10\", 1]}}",
      "12": """
      {"class_type": "LoraLoaderModelOnly",
       "inputs": {"lora_name": "c.safetensors", "strength_model": 0.25, "model": ["11", 0]}}
      """,
      "13": """
      {"class_type": "CLIPSetLastLayer", "inputs": {"stop_at_clip_layer": -2, "clip": ["11", 1]}}
      """,
      "14": "{\"class_type\": \"VAELoader\", \"inputs\": {\"vae_name\": \"sub/mse.pt\"}}",
      "8": Self.usual["8", default: ""].replacing("[\"4\", 2]", with: "[\"14\", 0]"),
    ])
    let loras = record.parameters.fields.filter { $0.name == "LoRA" }.map(\.value)
    #expect(loras == ["a.safetensors:0.8:te=0.5", "b.safetensors:1", "c.safetensors:0.25:te=0"])
    #expect(record["VAE"] == "mse.pt" && record["Model"] == "sd15/v1-5.safetensors")
    #expect(record.notReproduced == ["the random numbers of dpmpp_2m_sde_gpu"])
    let request = try GenerationRequest(record)
    #expect(request.sampler == SamplerName(.dpmpp2MSDE, .karras) && request.clipSkip == 2)
  }

  @Test func valuesOfOtherNodesAreFollowed() throws {
    let record = try record([
      "3": Self.usual["3", default: ""].replacing("18446744073709551615", with: "[\"20\", 0]"),
      "6": Self.usual["6", default: ""].replacing("\"a \\\"red\\\" apple\"", with: "[\"21\", 0]"),
      "20": "{\"class_type\": \"PrimitiveInt\", \"inputs\": {\"value\": 12}}",
      "21": "{\"class_type\": \"ShowText\", \"inputs\": {\"text\": [\"22\", 0]}}",
      "22": "{\"class_type\": \"PrimitiveString\", \"inputs\": {\"value\": \"a pear\"}}",
    ])
    let request = try GenerationRequest(record)
    #expect(request.seeds == [12] && request.prompts == ["a pear"])
  }

  @Test func picturesMadeFromOthersSayHowMuch() throws {
    let record = try record([
      "3": Self.usual["3", default: ""].replacing("1.0", with: "0.6"),
      "5":
        "{\"class_type\": \"VAEEncode\", \"inputs\": {\"pixels\": [\"15\", 0], \"vae\": [\"4\", 2]}}",
      "15": """
      {"class_type": "ImageScale", "inputs": {"image": ["16", 0], "width": 512, "height": 512}}
      """,
      "16": "{\"class_type\": \"LoadImage\", \"inputs\": {\"image\": \"in/photo.png\"}}",
    ])
    #expect(try record.strength() == 0.6)
    #expect(record["Init picture"] == "photo.png" && record.notReproduced == ["ImageScale"])
    #expect(throws: MetadataError.missing(field: "Size")) { _ = try GenerationRequest(record) }
    let request = try GenerationRequest(record, sizeOtherwise: (64, 32))
    #expect((request.width, request.height) == (64, 32))
  }

  @Test func advancedSamplersThatRunToTheEndAreRead() throws {
    let node = """
      {"class_type": "KSamplerAdvanced", "inputs": {"noise_seed": 5, "steps": 8, "cfg": 1,
        "sampler_name": "lcm", "scheduler": "sgm_uniform", "add_noise": "enable",
        "start_at_step": 0, "end_at_step": 10000, "return_with_leftover_noise": "disable",
        "model": ["4", 0], "positive": ["6", 0], "negative": ["7", 0], "latent_image": ["5", 0]}}
      """
    let record = try record(["3": node])
    #expect(record["Seed"] == "5" && record["Steps"] == "8" && record["Sampler"] == "lcm")
    for (good, bad) in [("10000", "6"), ("_step\": 0", "_step\": 2"), ("enable", "disable")] {
      let error = #expect(throws: MetadataError.self) {
        _ = try self.record(["3": node.replacing(good, with: bad)])
      }
      #expect(error?.description.contains("only a part of its steps") == true)
    }
  }

  @Test func whatIsPassedOnTheWayIsNamed() throws {
    let record = try record([
      "3": Self.usual["3", default: ""].replacing("[\"4\", 0]", with: "[\"17\", 0]"),
      "5": Self.usual["5", default: ""].replacing("_size\": 1", with: "_size\": 4"),
      "17": "{\"class_type\": \"FreeU\", \"inputs\": {\"b1\": 1.1, \"model\": [\"4\", 0]}}",
      "9": Self.usual["9", default: ""].replacing("[\"8\", 0]", with: "[\"18\", 0]"),
      "18": "{\"class_type\": \"ImageSharpen\", \"inputs\": {\"image\": [\"8\", 0]}}",
    ])
    #expect(
      record.notReproduced == [
        "ImageSharpen", "a batch of 4, which ComfyUI draws from one seed", "FreeU",
      ])
  }

  @Test(arguments: [
    (
      ["3": "{\"class_type\": \"Other\", \"inputs\": {}}"], "no saved picture comes from a KSampler"
    ),
    (["8": "{\"class_type\": \"VAEDecode\", \"inputs\": {\"samples\": [\"9\", 0]}}"], "no saved"),
    (["5": "{\"class_type\": \"Latent\", \"inputs\": {}}"], "does not start from an Empty"),
    (["6": "{\"class_type\": \"T5\", \"inputs\": {}}"], "comes from no CLIPTextEncode"),
    (["6": "{\"class_type\": \"CLIPTextEncode\", \"inputs\": {}}"], "\"text\" of node 6"),
    (["4": "{\"class_type\": \"Loader\", \"inputs\": {}}"], "no loader of checkpoints"),
    (
      [
        "5": "{\"class_type\": \"LatentUpscale\", \"inputs\": {\"samples\": [\"2\", 0], "
          + "\"width\": 8}}",
        "2": "{\"class_type\": \"KSampler\", \"inputs\": {}}",
      ], "goes on with the latents of node 2"
    ),
    (["4": "{\"class_type\": 3, \"inputs\": {}}"], "class_type"),
    (["4": "[1, 2]"], "cannot be followed"),
    (["4": "{"], "cannot be followed"),
  ])
  func graphsOfOtherKindsAreRefused(_ changes: [String: String], _ words: String) {
    let error = #expect(throws: MetadataError.self) { _ = try record(changes) }
    #expect(error?.description.contains(words) == true, "\(error?.description ?? "")")
  }

  /// A loop in any chain of links ends in an error, not in waiting.
  @Test(arguments: ["model", "clip", "latent_image", "positive", "text", "samples"])
  func loopsComeToAnEnd(_ input: String) {
    let loop = "{\"class_type\": \"Loop\", \"inputs\": {\"\(input)\": [\"30\", 0], \"samples\": "
    let changes = ["30": loop + "[\"30\", 0]}}"]
    for id in Self.usual.keys {
      let node = Self.usual[id, default: ""]
      let looped = ["0", "1", "2"].reduce(node) { text, output in
        ["4", "5", "6", "3"].reduce(text) {
          $0.replacing("\"\(input)\": [\"\($1)\", \(output)]", with: "\"\(input)\": [\"30\", 0]")
        }
      }
      guard looped != node else { continue }
      _ = try? record(changes.merging([id: looped]) { $1 })
    }
  }
}
