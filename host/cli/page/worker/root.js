// A root: the URL below which the keys of objects stand, and the form of its listings.
export class Root {
  // `base` ends with a slash. A bucket lists by ListObjectsV2, a folder by a page of links.
  constructor(base, isBucket) {
    this.base = base;
    this.isBucket = isBucket;
  }

  urlOf(key) {
    return this.base + key.split("/").map(encodeURIComponent).join("/");
  }
}
