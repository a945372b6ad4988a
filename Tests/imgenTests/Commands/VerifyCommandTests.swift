import Foundation
import ImageIO
import TestSupport
import Testing

@Suite(.enabled(if: Program.exists, Program.whyNot)) struct VerifyCommandTests {
  private let shop: Workshop

  init() throws { shop = try Workshop() }

  @Test(arguments: [
    "", "--negative blue --sampler dpmpp_2m_sde_karras --steps 3 --guidance 1.5 --size 20x12",
    "--precision bf16 --guidance-rescale 0.7 --like a1111", "--like comfyui --sampler euler_a",
    "--hires 1.5 --hires-steps 3 --hires-strength 0.6", "--hires 2 --like a1111 --sampler euler_a",
    "--like a1111-cpu --threads 1", "--prediction epsilon --tokenizer parts/tokenizer",
  ])
  func whatSampleWritesIsIdentical(_ options: String) throws {
    try FileManager.default.copyItem(
      atPath: shop.folder("parts/tokenizer"), toPath: shop.folder("tokenizer"))
    try shop.expectSuccess(
      "sample a red, apple --model model --seed 18446744073709551615 --out a.png \(options)")
    let outcome = try shop.expectSuccess("verify a.png")
    #expect(outcome.output == "a.png: identical\n" && outcome.errors.isEmpty)
  }

  @Test func theBundledModelIsFoundByItsName() throws {
    let sample = ["sample", "a red apple", "--seed", "1", "--steps", "2", "--out", "a.png"]
    #expect(try Program.run(sample, in: shop.folder).status == 0)
    let text = try #require(try ImageFile(contentsOf: shop.folder("a.png")).text["parameters"])
    #expect(text.contains("Model: imgen-small") && !text.contains("Model hash"))
    #expect(try shop.expectSuccess("verify a.png").output == "a.png: identical\n")
  }

  @Test(arguments: [true, false])
  func picturesBegunFromOthersNeedThese(_ hasMask: Bool) throws {
    let mask = hasMask ? " --mask photos/a_green_thing_1.png" : ""
    try shop.expectSuccess(
      "sample apple --model model --seed 5 --init photos/a_red_thing_0.png --strength 0.6"
        + "\(mask) --size 16x16 --out photos/a.png")
    #expect(try shop.expectSuccess("verify photos/a.png").output == "photos/a.png: identical\n")
    try FileManager.default.moveItem(
      atPath: shop.folder("photos/a.png"), toPath: shop.folder("a.png"))
    let missing = try shop.run("verify a.png")
    #expect(missing.status == 2)
    #expect(missing.errors.contains("another picture, a_red_thing_0.png, which is not beside it"))
    try shop.expectSuccess("verify a.png --init photos/a_red_thing_0.png\(mask)")
    let other = try shop.run("verify a.png --init photos/a_blue_thing_2.png\(mask)")
    #expect(other.status == 1 && other.output.contains("a_blue_thing_2.png has the hash"))
    guard hasMask else { return }
    let unmasked = try shop.run("verify a.png --init photos/a_red_thing_0.png")
    #expect(unmasked.status == 2 && unmasked.errors.contains("with a mask, a_green_thing_1.png"))
  }

  @Test func loraFilesAreFoundByTheirNames() throws {
    try shop.expectSuccess("train-style photos --model model --steps 4 --out ink.safetensors -q")
    try shop.folder.write("", to: "loras/empty.txt")
    try FileManager.default.copyItem(
      atPath: shop.folder("ink.safetensors"), toPath: shop.folder("loras/pen.safetensors"))
    let sample = ["sample", "apple <lora:pen:0.5>", "--model", "model", "--seed", "1"]
    let loras = ["--lora", "ink.safetensors:3:te=1", "--lora-folder", "loras", "--out", "a.png"]
    #expect(try Program.run(sample + loras, in: shop.folder).status == 0)
    let text = try #require(try ImageFile(contentsOf: shop.folder("a.png")).text["parameters"])
    #expect(text.contains("LoRA: \"ink.safetensors:3.0:te=1.0\", Lora hashes: \"ink: "))
    try shop.expectSuccess("verify a.png --lora-folder loras")
    try FileManager.default.moveItem(
      atPath: shop.folder("ink.safetensors"), toPath: shop.folder("other.safetensors"))
    let missing = try shop.run("verify a.png --lora-folder loras")
    #expect(missing.status == 1, "\(missing.output)")
    #expect(missing.output.contains("its LoRA ink.safetensors is not in loras, the working folder"))
    try shop.expectSuccess("verify a.png --lora-folder loras --lora other.safetensors:3:te=1")
    try FileManager.default.removeItem(atPath: shop.folder("other.safetensors"))
    try shop.expectSuccess(
      "train-style photos --model model --steps 4 --seed 2 --out ink.safetensors -q")
    let changed = try shop.run("verify a.png --lora-folder loras")
    #expect(changed.status == 1 && changed.output.contains("LoRA ink has the hash"))
  }

  /// A picture that is like the one of `a.png`, in a file of its own.
  private func rewrite(
    _ name: String, _ keyword: String = "parameters", text: (String) -> String = { $0 },
    pixels: (inout Image) -> Void = { _ in }
  ) throws {
    let file = try ImageFile(contentsOf: shop.folder("a.png"))
    var image = file.image
    pixels(&image)
    let written = try #require(file.text["parameters"])
    try image.writePNG(to: shop.folder(name), text: [(keyword, text(written))])
  }

  private func report(_ command: String, _ status: Int32) throws -> [String: Any] {
    let outcome = try shop.run("verify --json " + command)
    #expect(outcome.status == status, "\(command): \(outcome.output)\(outcome.errors)")
    let object = try JSONSerialization.jsonObject(with: Data(outcome.output.utf8))
    let pictures = (object as? [String: Any])?["pictures"] as? [[String: Any]]
    return try #require(pictures?.first)
  }

  @Test func aPixelThatIsChangedALittleIsClose() throws {
    try shop.expectSuccess("sample apple --model model --seed 3 --out a.png")
    try rewrite("b.png", pixels: { $0[4, 7].green ^= 1 })
    let close = try report("b.png", 0)
    #expect(close["verdict"] as? String == "close" && close["worst"] as? Int == 1)
    #expect(close["differing_share"] as? Double == 1.0 / 256)
    #expect(close["mean"] as? Double == 1.0 / 768)
    let ratio = try #require(close["psnr"] as? Double)
    #expect(abs(ratio - 10 * log10(255 * 255 * 768)) < 1e-9)
    #expect(try report("b.png --tolerance 0", 1)["verdict"] as? String == "different")
    try rewrite("c.png", pixels: { $0[4, 7].green ^= 64 })
    let far = try report("c.png --out seen.png", 1)
    #expect(far["verdict"] as? String == "different" && far["worst"] as? Int == 64)
    let reasons = try #require(far["reasons"] as? [String])
    #expect(reasons == ["the picture or what its file says was changed after it was drawn"])
    let seen = try ImageFile(contentsOf: shop.folder("seen.png")).image
    #expect(seen.width > 3 * 192 && seen.height > 192)
  }

  @Test func anotherSeedInTheTextIsDifferent() throws {
    try shop.expectSuccess("sample apple --model model --seed 3 --out a.png")
    try rewrite("b.png", text: { $0.replacing("Seed: 3", with: "Seed: 4") })
    let outcome = try shop.run("verify a.png b.png")
    #expect(outcome.status == 1)
    let lines = outcome.output.split(separator: "\n").map(String.init)
    #expect(lines.count == 3 && lines[0] == "a.png: identical")
    #expect(lines[1].hasPrefix("b.png: different, ") && lines[1].contains("PSNR"))
    #expect(
      lines[2] == "  possible reason: the picture or what its file says was changed after "
        + "it was drawn")
  }

  @Test func anotherModelIsToldByItsHash() throws {
    try shop.expectSuccess("sample apple --model model --seed 3 --out a.png")
    try shop.expectSuccess(
      "train photos --model parts --from-scratch --steps 2 --seed 9 --batch 2 --out run "
        + "--sheet-every 0 -q")
    let given = try shop.run("verify a.png --model run/model")
    #expect(given.status == 1 && given.output.contains("run/model has the hash"))
    try FileManager.default.removeItem(atPath: shop.folder("model"))
    let missing = try shop.run("verify a.png")
    #expect(missing.status == 2 && missing.output.isEmpty)
    #expect(missing.errors.hasPrefix("Error: a.png: it was drawn with the model \"model\" (hash "))
    #expect(missing.errors.contains("give it with --model"))
    // Of two models of one name, the one with the hash is taken.
    try FileManager.default.copyItem(
      atPath: shop.folder("run/model"), toPath: shop.folder("model"))
    try shop.expectSuccess("sample apple --model model --seed 3 --out b.png")
    try shop.expectSuccess("verify b.png")
    #expect(try shop.run("verify a.png").output.contains("model has the hash"))
  }

  @Test func otherPrecisionAndVersionAreNamed() throws {
    try shop.expectSuccess("sample apple --model model --seed 3 --out a.png --steps 9")
    try rewrite(
      "b.png", text: { $0.replacing("Version: imgen-", with: "Version: imgen-0.0.0-") },
      pixels: { $0[1, 1].red ^= 128 })
    let reasons = try #require(try report("b.png --precision bf16", 1)["reasons"] as? [String])
    #expect(reasons.contains("it was drawn with --precision f32, not bf16"))
    #expect(reasons.contains { $0.hasPrefix("it was drawn by imgen-0.0.0-") })
  }

  @Test func filesThatCannotBeDrawnAgainAreRefused() throws {
    try shop.expectSuccess("sample apple --model model --seed 3 --count 2 --grid --out many")
    try FileManager.default.copyItem(
      atPath: shop.folder("many/apple-3.png"), toPath: shop.folder("a.png"))
    try rewrite("enlarged.png", pixels: { $0 = $0.resized(to: 32, 32) })
    try rewrite("bare.png", "Title")
    try rewrite("broken.png", text: { $0.replacing("Steps: 4", with: "Steps: four") })
    try rewrite("steps.png", text: { $0.replacing("Steps: 4", with: "Steps: 4000") })
    try rewrite("huge.png", text: { $0.replacing("RNG", with: "Hires upscale: 1e300, RNG") })
    try rewrite("wide.png", text: { $0.replacing("16x16", with: "9223372036854775807x16") })
    try rewrite("precise.png", text: { $0.replacing("RNG", with: "Precision: f8, RNG") })
    try rewrite("unnamed.png", text: { $0.replacing("Model: model, ", with: "") })
    try rewrite("graph.png", "prompt", text: { _ in "{\"1\": {}}" })
    for (command, words) in [
      ("many/apple-3-grid.png", "it does not say how it was made"),
      ("bare.png", "it does not say how it was made"), ("nowhere.png", "nowhere.png"),
      ("enlarged.png", "it is 32x32, but its parameters make 16x16"),
      ("broken.png", "\"Steps\" of its parameters is \"four\", expected a whole number"),
      ("huge.png", "the second pass enlarges by 1e+300"), ("wide.png", "expected a multiple of 2"),
      ("steps.png", "cannot sample in 4000 steps"), ("graph.png", "graph cannot be followed"),
      ("precise.png", "\"Precision\" of its parameters is \"f8\", expected f32"),
      ("unnamed.png", "it does not say which model drew it"),
      ("a.png --init photos/a_red_thing_0.png", "it was drawn from words alone"),
    ] {
      let outcome = try shop.run("verify " + command)
      #expect(outcome.status == 2 && outcome.output.isEmpty, "\(command): \(outcome.output)")
      #expect(outcome.errors.hasPrefix("Error: "), "\(outcome.errors)")
      #expect(outcome.errors.contains(words), "\(command): \(outcome.errors)")
      #expect(outcome.errors.count { $0 == "\n" } == 1, "\(outcome.errors)")
    }
    let failed = try report("bare.png a.png", 2)
    #expect(failed["verdict"] as? String == "failed" && failed["error"] is String)
    for arguments in ["", "a.png --tolerance 256", "a.png a.png --out b.png", "a.png --out photos"]
    {
      #expect(try shop.run("verify " + arguments).status == 64, "\(arguments)")
    }
  }

  /// A model of Stable Diffusion's kind, under the name that the texts below use.
  private func copyStableDiffusion(to name: String) throws {
    let tests = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
      .deletingLastPathComponent().deletingLastPathComponent()
    try FileManager.default.copyItem(
      atPath: tests.appendingPathComponent("PipelinesTests/Fixtures/stable_diffusion").path,
      toPath: shop.folder(name))
  }

  @Test(arguments: [("", "a1111"), (", RNG: CPU, Version: v1.10.1", "a1111-cpu")])
  func textOfTheWebUIIsUnderstood(_ ending: String, _ likeness: String) throws {
    try copyStableDiffusion(to: "v1-5-pruned")
    try shop.expectSuccess(
      "sample a (red:1.3) apple --negative dark --model v1-5-pruned --like \(likeness) --seed 9 "
        + "--sampler dpmpp_2s_ancestral --schedule karras --steps 4 --guidance 6.5 --clip-skip 2 "
        + "--size 24x16 --out a.png")
    try rewrite("web.png") { _ in
      """
      a (red:1.3) apple
      Negative prompt: dark
      Steps: 4, Sampler: DPM++ 2S a, Schedule type: Karras, CFG scale: 6.5, Seed: 9, \
      Size: 24x16, Model hash: 6ce0161689, Model: v1-5-pruned, Clip skip: 2\(ending)
      """
    }
    let result = try report("web.png", 0)
    #expect(result["verdict"] as? String == "identical" && result["author"] as? String == "a1111")
    try rewrite("web.png") { _ in
      """
      a (red:1.3) apple
      Steps: 4, Sampler: DPM++ 2S a Karras, CFG scale: 6.5, Seed: 9, Size: 24x16, ENSD: 31337, \
      Model hash: 6ce0161689, Model: v1-5-pruned\(ending)
      """
    }
    let other = try #require(try report("web.png", 1)["reasons"] as? [String])
    #expect(other[0] == "it was made with what is not known here: ENSD: 31337")
    #expect(other[1].contains("v1-5-pruned has the hash"))
    #expect(other[2] == "a1111 usually computes in 16 bits on a GPU")
  }

  @Test func graphsOfComfyUIAreUnderstood() throws {
    try copyStableDiffusion(to: "sd15")
    try shop.expectSuccess(
      "sample a (red:1.3) apple --negative dark --model sd15 --like comfyui --seed 9 "
        + "--sampler euler_ancestral --schedule karras --steps 4 --guidance 6.5 --clip-skip 2 "
        + "--size 24x16 --out a.png")
    let graph = """
      {"3": {"class_type": "KSampler", "inputs": {"seed": 9, "steps": 4, "cfg": 6.5,
         "sampler_name": "euler_ancestral", "scheduler": "karras", "denoise": 1.0,
         "model": ["4", 0], "positive": ["6", 0], "negative": ["7", 0], "latent_image": ["5", 0]}},
       "4": {"class_type": "CheckpointLoaderSimple", "inputs": {"ckpt_name": "models/sd15"}},
       "5": {"class_type": "EmptyLatentImage",
         "inputs": {"width": 24, "height": 16, "batch_size": 1}},
       "6": {"class_type": "CLIPTextEncode",
         "inputs": {"text": "a (red:1.3) apple", "clip": ["10", 0]}},
       "7": {"class_type": "CLIPTextEncode", "inputs": {"text": "dark", "clip": ["10", 0]}},
       "8": {"class_type": "VAEDecode", "inputs": {"samples": ["3", 0], "vae": ["4", 2]}},
       "9": {"class_type": "SaveImage", "inputs": {"images": ["8", 0]}},
       "10": {"class_type": "CLIPSetLastLayer",
         "inputs": {"stop_at_clip_layer": -2, "clip": ["4", 1]}}}
      """
    try rewrite("comfy.png", "prompt") { _ in graph }
    let result = try report("comfy.png", 0)
    #expect(result["verdict"] as? String == "identical" && result["author"] as? String == "comfyui")
    let info = try shop.expectSuccess("info comfy.png").output
    for fact in ["a (red:1.3) apple", "euler_ancestral", "24x16"] { #expect(info.contains(fact)) }
    try rewrite("comfy.png", "prompt") { _ in
      graph.replacing("\"batch_size\": 1", with: "\"batch_size\": 2")
        .replacing("\"seed\": 9", with: "\"seed\": 8")
    }
    let other = try #require(try report("comfy.png", 1)["reasons"] as? [String])
    #expect(other[0].contains("a batch of 2, which ComfyUI draws from one seed"))
  }
}
