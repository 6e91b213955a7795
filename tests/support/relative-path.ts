// Files have a path within the folder that was picked; Node's know nothing of it.
if (!('webkitRelativePath' in File.prototype)) {
  Object.defineProperty(File.prototype, 'webkitRelativePath', { value: '', writable: true });
}
