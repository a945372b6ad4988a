import Foundation
import TestSupport
import Testing

@Suite(.enabled(if: Program.exists, Program.whyNot)) struct LoraCommandTests {
  private let folder: ScratchFolder

  /// Copies a LoRA of a tiny U-Net, one with a text encoder, and the models.
  init() throws {
    folder = try ScratchFolder()
    let fixtures = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
      .deletingLastPathComponent().deletingLastPathComponent()
      .appendingPathComponent("LoRATests/Fixtures").path
    try FileManager.default.createDirectory(
      atPath: folder("model"), withIntermediateDirectories: true)
    for (source, target) in [
      ("attention/kohya.safetensors", "ink.safetensors"),
      ("text/kohya.safetensors", "anna.safetensors"),
      ("forms/loha.safetensors", "loha.safetensors"),
      ("unet", "model/unet"), ("text_encoder", "model/text_encoder"),
    ] {
      try FileManager.default.copyItem(atPath: "\(fixtures)/\(source)", toPath: folder(target))
    }
  }

  @Test func infoSaysWhatAFileIs() throws {
    let text = try success("lora info ink.safetensors")
    for line in ["dialect     kohya", "form        LoRA", "rank        4", "alpha       2.0"] {
      #expect(text.contains(line), "\(text)")
    }
    let report = try json("lora info loha.safetensors --json")
    #expect(report["form"] as? String == "LoHa")
    #expect(report["dialect"] as? String == "kohya")
  }

  @Test func convertWritesTheOtherNamesAndBack() throws {
    let text = try success("lora convert ink.safetensors --to diffusers --out d.safetensors")
    #expect(text.contains("32 adapters from kohya to diffusers"))
    _ = try success("lora convert d.safetensors --to peft --out p/adapter_model.safetensors", 1)
    try FileManager.default.createDirectory(atPath: folder("p"), withIntermediateDirectories: true)
    _ = try success("lora convert d.safetensors --to peft --out p/adapter_model.safetensors")
    #expect(try folder.names(in: "p") == ["adapter_config.json", "adapter_model.safetensors"])
    _ = try success(
      "lora convert p/adapter_model.safetensors --to kohya --out k.safetensors --model model")
    let info = try json("lora info k.safetensors --json")
    #expect(info["alphas"] as? [Double] == [2])
    _ = try success("lora convert loha.safetensors --to diffusers --out x.safetensors", 1)
    _ = try success("lora convert ink.safetensors --to comfy --out x.safetensors", 64)
    #expect(!FileManager.default.fileExists(atPath: folder("x.safetensors")))
  }

  @Test func mergeMakesOneFileOrANewModel() throws {
    _ = try success(
      "lora merge ink.safetensors:0.5 anna.safetensors:1:te=0.25 --out both.safetensors")
    let info = try json("lora info both.safetensors --json")
    #expect(info["ranks"] as? [Int] == [3, 7])
    let limited = try success(
      "lora merge ink.safetensors anna.safetensors --rank 2 --out small.safetensors")
    #expect(limited.contains("norm kept") && limited.contains("7 -> 2"))
    let merged = try json(
      "lora merge ink.safetensors anna.safetensors --into model --out new --json")
    #expect(merged["changed"] as? Int == 40)
    #expect(try folder.names(in: "new") == ["text_encoder", "unet"])
    let again = try Program.run(
      ["lora", "merge", "ink.safetensors", "--into", "model", "--out", "new"], in: folder)
    #expect(again.status != 0 && again.errors.contains("exists"))
    let strange = try Program.run(
      ["lora", "merge", "loha.safetensors", "--into", "model", "--out", "other"], in: folder)
    #expect(strange.status != 0 && strange.errors.contains("lora_unet_conv"))
    _ = try success("lora merge ink.safetensors:x:te=y --out x.safetensors", 64)
    _ = try success("lora merge --out x.safetensors", 64)
    _ = try success("lora merge ink.safetensors --into model --rank 2 --out x", 64)
  }

  @Test func resizeSaysWhatIsKept() throws {
    let text = try success("lora resize ink.safetensors --rank 2 --out small.safetensors")
    #expect(text.contains("4 -> 2") && text.contains("mean of 32"))
    let rows = try json(
      "lora resize ink.safetensors --sv-fro 0.9 --out less.safetensors --threads 1 --json")
    let adapters = try #require(rows["adapters"] as? [[String: Any]])
    #expect(adapters.count == 32)
    #expect(adapters.allSatisfy { ($0["norm_kept"] as? Double ?? 0) >= 0.9 })
    _ = try success("lora resize ink.safetensors --out x.safetensors", 64)
    _ = try success("lora resize ink.safetensors --rank 0 --out x.safetensors", 64)
    _ = try success("lora resize ink.safetensors --sv-fro 1 --sv-ratio 2 --out x.safetensors", 64)
    #expect(!FileManager.default.fileExists(atPath: folder("x.safetensors")))
  }

  /// What a command prints; it must end with `status`, and say why where that is not 0.
  private func success(
    _ command: String, _ status: Int32 = 0, sourceLocation: SourceLocation = #_sourceLocation
  ) throws -> String {
    let outcome = try Program.run(command.split(separator: " ").map(String.init), in: folder)
    #expect(
      outcome.status == status, "imgen \(command): \(outcome.errors)",
      sourceLocation: sourceLocation)
    #expect(outcome.errors.isEmpty == (status == 0), sourceLocation: sourceLocation)
    return outcome.output
  }

  private func json(_ command: String) throws -> [String: Any] {
    let text = try success(command)
    return try #require(
      try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any])
  }
}
