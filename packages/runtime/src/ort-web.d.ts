// The import map of package.json chooses the build of onnxruntime-web; all of them have this interface.
declare module "#ort-web" {
  export * from "onnxruntime-common";
}
