/** Frames for the page: of the camera or of a video file, through one video element. Nothing is sent anywhere. */
import { UserError } from "../../nodes/context.ts";

export interface FrameSource {
  /** The next frame that was not given yet. */
  next(): Promise<ImageBitmap>;
  /** Releases camera or file. */
  close(): void;
}

const OTHER_WAY = "Or choose a video file.";

/** `onEnded`: the camera was unplugged or taken away. Throws UserError with what to do. */
export async function openFrames(
  video: HTMLVideoElement,
  from: "camera" | File,
  onEnded: (error: UserError) => void,
): Promise<FrameSource> {
  const close = from === "camera" ? await playCamera(video, onEnded) : await playFile(video, from);
  return { next: () => nextFrame(video), close };
}

async function playCamera(video: HTMLVideoElement, onEnded: (error: UserError) => void): Promise<() => void> {
  if (!navigator.mediaDevices) {
    throw new UserError("no-camera-here", "Browsers give a camera only to pages of localhost or https.", OTHER_WAY);
  }
  const stream = await navigator.mediaDevices.getUserMedia({ video: true, audio: false }).catch((error: unknown) => {
    throw cameraError(error);
  });
  const close = () => {
    for (const track of stream.getTracks()) track.stop();
    video.srcObject = null;
  };
  // A track that we stop ourselves does not say so.
  const lost = new UserError("camera-lost", "The camera is gone.", "Plug it in again and start once more.");
  for (const track of stream.getVideoTracks()) track.addEventListener("ended", () => onEnded(lost));
  try {
    video.srcObject = stream;
    await video.play();
  } catch (error) {
    close();
    throw error;
  }
  return close;
}

async function playFile(video: HTMLVideoElement, file: File): Promise<() => void> {
  const url = URL.createObjectURL(file);
  const close = () => {
    video.removeAttribute("src");
    video.load();
    URL.revokeObjectURL(url);
  };
  video.src = url;
  video.loop = true;
  try {
    await video.play();
  } catch (cause) {
    close();
    const message = `This browser cannot play ${file.name}.`;
    throw new UserError("cannot-play", message, "Take an MP4 (H.264) or a WebM file.", { cause });
  }
  return close;
}

async function nextFrame(video: HTMLVideoElement): Promise<ImageBitmap> {
  await new Promise<void>((resolve) => video.requestVideoFrameCallback(() => resolve()));
  return createImageBitmap(video);
}

function cameraError(error: unknown): UserError {
  const name = error instanceof DOMException ? error.name : "";
  const options = { cause: error };
  if (name === "NotAllowedError") {
    const fix = `Allow the camera at the left of the address bar, then start again. ${OTHER_WAY}`;
    return new UserError("camera-refused", "The browser was not allowed to use the camera.", fix, options);
  }
  if (name === "NotFoundError" || name === "OverconstrainedError") {
    return new UserError("no-camera", "There is no camera.", `Connect one and start again. ${OTHER_WAY}`, options);
  }
  if (name === "NotReadableError" || name === "AbortError") {
    const fix = `Close the program that uses it, then start again. ${OTHER_WAY}`;
    return new UserError("camera-busy", "The camera cannot be opened.", fix, options);
  }
  const why = error instanceof Error ? error.message : String(error);
  return new UserError("camera-failed", `The camera cannot be opened: ${why}`, OTHER_WAY, options);
}
