/** Files that people take for ONNX models, known by their first bytes, and how to get an ONNX model from each. */
const FORMATS: readonly { at: number; magic: string; what: string; fix: string }[] = [
  {
    at: 0,
    magic: "PK\x03\x04",
    what: "a zip archive (a PyTorch checkpoint?)",
    fix: "Export it with torch.onnx.export.",
  },
  {
    at: 0,
    magic: "\x80\x02",
    what: "a Python pickle",
    fix: "Load it in PyTorch and export it with torch.onnx.export.",
  },
  { at: 4, magic: "TFL3", what: "a TensorFlow Lite model", fix: "Convert it with tf2onnx (--tflite)." },
  { at: 4, magic: "ORTM", what: "an ORT-format model", fix: "Use the ONNX model that it was made from." },
  { at: 0, magic: "\x89HDF", what: "an HDF5 file (Keras?)", fix: "Convert it with tf2onnx." },
  { at: 0, magic: "GGUF", what: "a GGUF file", fix: "Export the original model with optimum-cli export onnx." },
  { at: 0, magic: "ptrt", what: "a TensorRT engine", fix: "Use the ONNX model that it was built from." },
  { at: 0, magic: "ftrt", what: "a TensorRT engine", fix: "Use the ONNX model that it was built from." },
  { at: 0, magic: "\x1f\x8b", what: "a gzip archive", fix: "Unpack it first." },
  { at: 0, magic: "version https://git-lfs", what: "a Git LFS pointer", fix: "Fetch the file itself: git lfs pull." },
  { at: 0, magic: "<!DOCTYPE", what: "a web page", fix: "Download the file itself (its raw address)." },
  { at: 0, magic: "<html", what: "a web page", fix: "Download the file itself (its raw address)." },
  { at: 0, magic: "<?xml", what: "an XML file (OpenVINO?)", fix: "Use the ONNX model that it was made from." },
  { at: 8, magic: '{"', what: "a safetensors file", fix: "Export the model with optimum-cli export onnx." },
  { at: 0, magic: '{"', what: "a JSON file", fix: "Choose the .onnx file." },
];

const TEXT = { what: "a text file", fix: "Choose the .onnx file." };

export function foreignFormat(head: Uint8Array): { readonly what: string; readonly fix: string } | undefined {
  if (head.length === 0) return { what: "an empty file", fix: "Download or export the model again." };
  const text = String.fromCharCode(...head);
  const known = FORMATS.find(({ at, magic }) => text.startsWith(magic, at));
  // A model's first byte is the tag of a field: a control character.
  return known ?? (/^[\t\n\r\x20-\x7e\x80-\xff]{4,}$/.test(text) ? TEXT : undefined);
}
