import Foundation
import TestSupport
import Testing

/// Whatever is asked for wrongly: one line that says what was found and what would do, a status
/// that is not 0, and nothing written.
@Suite(.enabled(if: Program.exists, Program.whyNot)) struct ErrorTests {
  private let shop: Workshop

  init() throws {
    shop = try Workshop()
    try shop.folder.write("text", to: "file")
    try shop.folder.write("\n\n", to: "blank")
    try shop.folder.write("{\"half\": ", to: "broken.safetensors")
    try TinyModelFolder.writePhotos(2, side: 64, to: shop.folder("few"))
    try shop.folder.write("text", to: "empty/readme.md")
  }

  @Test func badInputIsRefusedInOneLine() throws {
    for (command, expected) in Self.cases {
      let before = try shop.listing()
      let outcome = try shop.run(command)
      #expect(outcome.status != 0 && outcome.status < 128, "imgen \(command)")
      #expect(outcome.output.isEmpty, "imgen \(command): \(outcome.output)")
      #expect(outcome.errors.hasPrefix("Error: "), "imgen \(command): \(outcome.errors)")
      #expect(
        outcome.errors.count { $0 == "\n" } == 1 && outcome.errors.hasSuffix("\n"),
        "imgen \(command): \(outcome.errors)")
      #expect(outcome.errors.contains(expected), "imgen \(command): \(outcome.errors)")
      #expect(try shop.listing() == before, "imgen \(command) wrote something")
    }
  }

  private static let cases: [(String, String)] = [
    ("sample", "give a prompt, such as \"a red apple\", or --prompts-from, not both."),
    ("sample a --prompts-from file", "not both. See 'imgen sample --help'."),
    ("sample --prompts-from nowhere", "cannot read prompts from nowhere"),
    ("sample --prompts-from blank --model model", "blank is empty, expected one prompt per line"),
    ("info", "Missing expected argument '<path>'. See 'imgen info --help'."),
    ("info nowhere", "there is no file or folder nowhere"),
    ("info file", "file: not a picture"),
    ("info broken.safetensors", "broken.safetensors"),
    ("info photos", "photos is not a model folder"),
    ("paint a", "'paint'"),
    ("sample a --modle model", "Did you mean '--model'?"),
    ("sample a --model nowhere", "there is no model \"nowhere\""),
    ("sample a --model file", "there is no model \"file\""),
    ("sample a --model photos", "photos is not a model folder: it has no unet/"),
    ("sample a --model parts", "parts/unet/diffusion_pytorch_model.safetensors"),
    ("sample a --model model --size 64by64", "expected width x height in pixels, such as 512x768"),
    ("sample a --model model --size 0x16", "expected width x height"),
    ("sample a --model model --size 17x16", "the width is 17, expected a multiple of 2"),
    ("sample a --model model --size 16x8000", "the height is 8000"),
    ("sample a --model model --sampler eulr", "did you mean \"euler\"?"),
    ("sample a --model model --steps 0", "cannot sample in 0 steps; use 1 to 1000"),
    ("sample a --model model --steps 5000", "use 1 to 1000"),
    ("sample a --model model --steps many", "The value 'many' is invalid for '--steps <steps>'"),
    ("sample a --model model --guidance nan", "the guidance is nan, expected 0 to 50"),
    ("sample a --model model --count 0", "--count is 0, expected 1 to 1000"),
    ("sample a --model model --seed -1", "--seed"),
    ("sample a --model model --threads 0", "--threads is 0, expected 1 to 1024"),
    ("sample a --model model --precision f64", "Please provide one of 'f32', 'bf16' or 'high'"),
    ("sample a --model model --lora missing.safetensors", "missing.safetensors: cannot be read"),
    ("sample a --model model --lora broken.safetensors:0.5", "broken.safetensors"),
    ("sample a --model model --lora model/unet/diffusion_pytorch_model.safetensors", "LoRA"),
    ("sample a --model model --out file", "file is a file"),
    ("sample a --model model --out file/inside", "file is a file"),
    ("sample a --model model --out file/a.png", "file is a file"),
    ("sample a --model model --count 2 --out a.png", "--out is one file, but there are several"),
    ("sample a --model model --hires 1", "--hires is 1.0, expected above 1 up to 8"),
    ("sample a --model model --hires 300", "--hires is 300.0, expected above 1 up to 8"),
    ("sample a --model model --hires-steps 3", "need --hires, such as --hires 2"),
    ("sample a --model model --hires 2 --hires-strength 2", "--hires-strength is 2.0"),
    ("sample a --model model --hires 2 --hires-upscaler latent", "use the upscaler lanczos"),
    ("sample a --model model --hires 2 --hires-upscaler x", "one of 'latent' and 'lanczos'"),
    ("sample a --model model --hires 2 --init photos/a_red_thing_0.png", "from words alone"),
    ("sample a --model model --preview-every 0", "--preview-every is 0, expected at least 1"),
    ("sample a --model model --vae-tiles maybe", "one of 'on', 'off' or 'auto'"),
    ("train", "Missing expected argument '<data>'"),
    ("train nowhere --model model", "nowhere: there is no such folder"),
    ("train file --model model", "file: this is a file"),
    ("train empty --model model", "empty: no pictures"),
    ("train photos --model nowhere", "there is no model \"nowhere\""),
    ("train photos --model parts", "parts/unet/diffusion_pytorch_model.safetensors"),
    ("train photos --model model --size 15", "the size to train at is 15, expected a multiple"),
    ("train photos --model model --steps 0", "--steps must be at least 1"),
    ("train photos --model model --batch 0", "--batch is 0, expected 1 to 4096"),
    ("train photos --model model --learning-rate 2", "--learning-rate is 2.0"),
    ("train photos --model model --minutes inf", "--minutes is inf"),
    ("train photos --model model --weighting none", "one of"),
    ("train photos --model model --out file/run", "file/run"),
    ("train-style few --model model", "few: 2 of 2 photos can be used, at least 5 are needed"),
    ("train-style nowhere --model model", "nowhere: there is no such folder"),
    ("train-style photos --model model --rank 0", "--rank is 0, expected 1 to 256"),
    ("train-style photos --model model --out style", "expected a name that ends in .safetensors"),
    ("train-style photos --model model --out file/a.safetensors", "file is a file"),
    ("bench --steps 0", "--steps is 0"),
    ("bench --repeats 0", "--steps is 0"),
    ("bench train --batch 0", "--batch is 0"),
    ("bench --batch 2", "--batch goes with unet, vae, train, lora or gan"),
    ("bench kernels --config sd15", "--config goes with unet, vae, train or lora"),
    ("bench everything", "kernels"),
    ("bench unet --config nowhere", "--config is nowhere, expected sd15, unet25m, small"),
    ("bench unet --config few", "few/unet/config.json"),
    ("bench vae --config model", "model works on pixels and has no autoencoder"),
    ("bench unet --precision f16", "Please provide one of 'f32', 'bf16' or 'high'"),
  ]
}
