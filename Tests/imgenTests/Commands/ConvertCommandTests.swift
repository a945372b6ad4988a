import Foundation
import TestSupport
import Testing

@Suite(.enabled(if: Program.exists, Program.whyNot)) struct ConvertCommandTests {
  private let folder: ScratchFolder
  private static let fixtures = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    .deletingLastPathComponent().deletingLastPathComponent().path
  private static let model = fixtures + "/PipelinesTests/Fixtures/single_file/sd2.safetensors"
  private static let tokenizer = fixtures + "/PipelinesTests/Fixtures/stable_diffusion/tokenizer"
  private static let models = fixtures + "/ModelsTests/Fixtures"
  private static let torch = fixtures + "/CheckpointsTests/Fixtures/torch"

  init() throws { folder = try ScratchFolder() }

  private func run(_ arguments: String...) throws -> Program.Outcome {
    try Program.run(arguments, in: folder)
  }

  @Test func aFileBecomesAFolderThatDrawsTheSame() throws {
    let made = try run(
      "convert", Self.model, "folder", "--tokenizer", Self.tokenizer, "--prediction", "epsilon")
    #expect(made.status == 0, "\(made.errors)")
    #expect(made.output == "folder\n")
    #expect(made.errors.contains("tensors have no place in the new form and are left out"))
    for (model, out) in [(Self.model, "a.png"), ("folder", "b.png")] {
      let drawn = try run(
        "sample", "a cat", "--model", model, "--tokenizer", Self.tokenizer, "--steps", "2",
        "--size", "16x16", "--seed", "1", "--out", out)
      #expect(drawn.status == 0, "\(drawn.errors)")
    }
    let report = try run("convert", "folder", "back.safetensors", "--dtype", "bf16", "--json")
    #expect(report.status == 0 && report.errors.isEmpty, "\(report.errors)")
    #expect(report.output.contains("\"form\" : \"single-file\""))
  }

  @Test func filesOfAllKindsAreDescribed() throws {
    for (path, expected) in [
      (Self.model, "Stable Diffusion 2 in a single file"),
      (Self.model, "OpenCLIP, 3 layers in use"),
      (Self.torch + "/lightning.ckpt", "torch"), (Self.torch + "/lightning.ckpt", "875000"),
      (Self.models + "/vae_tiny/diffusion_pytorch_model.safetensors", "tiny"),
      (Self.models + "/vae_sd/diffusion_pytorch_model.safetensors", "VAE"),
      (Self.models + "/clip_sd1/model.safetensors", "CLIP text encoder"),
      (Self.models + "/unet_sd1/diffusion_pytorch_model.safetensors", "U-Net"),
    ] {
      let outcome = try run("info", path)
      #expect(outcome.status == 0 && outcome.output.contains(expected), "\(outcome)")
    }
  }

  @Test func badInputIsRefusedInOneLine() throws {
    try folder.write("text", to: "taken.safetensors")
    for (arguments, expected) in [
      (["nowhere", "a"], "there is no file or folder nowhere"),
      ([Self.model, "taken.safetensors"], "--force to replace it"),
      (["taken.safetensors", "taken.safetensors", "--force"], "is what is to be converted"),
      (["taken.safetensors", "b.safetensors"], "taken.safetensors"),
      ([Self.torch + "/hostile.ckpt", "b.safetensors"], "posix.system"),
      ([Self.torch + "/legacy.pt", "b.safetensors"], "before version 1.6"),
      ([Self.torch + "/plain.bin", "b"], "prefix"),
      ([Self.model, "b", "--dtype", "f8"], "--dtype"),
      ([Self.model, "b", "--ema"], "model_ema."), ([Self.model, "b", "--to", "onnx"], "--to"),
    ] {
      let outcome = try Program.run(["convert"] + arguments, in: folder)
      #expect(outcome.status != 0 && outcome.status < 128, "\(arguments)")
      #expect(outcome.errors.contains(expected), "\(arguments): \(outcome.errors)")
      #expect(outcome.errors.count { $0 == "\n" } == 1, "\(outcome.errors)")
      #expect(try folder.names(in: "") == ["taken.safetensors"])
    }
  }
}
